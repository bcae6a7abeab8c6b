import type { CpuProfile } from "./cpu_profile.ts";

/** A function of a stack, and the program or library that it is of. */
interface Call {
  name: string;
  file: string;
  address: number;
}

/** What `perf` calls a function that has no name in the program's table. */
const UNKNOWN = "[unknown]";

/**
 * What `perf script -F ip,sym,dso` writes, as a profile. Functions without a name that call each other
 * are one, and so is the kernel: who called it tells what for.
 *
 * @param microsPerSample Microseconds between two samples.
 */
export function perfProfile(script: string, microsPerSample: number): CpuProfile {
  const stacks = script.split(/\n\s*\n/).map(callsOf).filter((calls) => calls.length > 0);
  const isLua = luaOf(stacks.flat());
  const unnamed = (call: Call) =>
    call.name !== UNKNOWN ? undefined : isLua(call) ? "Lua" : "(unnamed)";
  const root = nodeOf(1, "(root)", "");
  const nodes = [root];
  const ids = new Map<string, number>();
  const samples = stacks.map((calls) => {
    let at = root;
    for (const call of calls) {
      const common = call.file.startsWith("[kernel") ? "(kernel)" : unnamed(call);
      const name = common ?? call.name;
      const { functionName, url } = at.callFrame;
      if (common === functionName && url === call.file) continue;
      const key = `${at.id} ${name} ${call.file}`;
      let id = ids.get(key);
      if (id === undefined) {
        id = nodes.length + 1;
        ids.set(key, id);
        nodes.push(nodeOf(id, name, call.file));
        at.children!.push(id);
      }
      at = nodes[id - 1]!;
    }
    return at.id;
  });
  const timeDeltas = samples.map(() => microsPerSample);
  return { nodes, samples, timeDeltas, startTime: 0, endTime: microsPerSample * samples.length };
}

function nodeOf(id: number, functionName: string, url: string): CpuProfile["nodes"][number] {
  return { id, callFrame: { functionName, url, lineNumber: -1 }, children: [] };
}

/** A stack, whoever calls before whom is called. */
function callsOf(block: string): Call[] {
  return block.split("\n").flatMap((line) => {
    const match = /^\s*([0-9a-f]+) (.*) \(([^()]*)\)$/.exec(line);
    if (match === null) return [];
    const [, address, name, path] = match;
    return [{ name: name!, file: path!.split("/").at(-1)!, address: parseInt(address!, 16) }];
  }).reverse();
}

/**
 * Whether a function is of Lua, which is linked into Redis as one piece. Only what programs may call
 * has a name there, so all that lies between such functions is Lua's, too.
 */
function luaOf(calls: readonly Call[]): (call: Call) => boolean {
  const pieces = new Map<string, { first: number; last: number }>();
  for (const { name, file, address } of calls) {
    if (!/^luaL?_/.test(name)) continue;
    const piece = pieces.get(file) ?? { first: address, last: address };
    piece.first = Math.min(piece.first, address);
    piece.last = Math.max(piece.last, address);
    pieces.set(file, piece);
  }
  return ({ file, address }) => {
    const piece = pieces.get(file);
    return piece !== undefined && address >= piece.first && address <= piece.last;
  };
}
