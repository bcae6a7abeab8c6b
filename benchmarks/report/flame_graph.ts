import type { CpuProfile } from "../harness/cpu_profile.ts";
import type { Origins } from "./origins.ts";
import { DENO } from "./origins.ts";
import { picture, rect, text } from "./svg.ts";

const WIDTH = 1200;
const MARGIN = 16;
const TOP = 74;
const ROW = 17;
/** Pixels below which a function is left out, with all that it called: half a hundredth of all. */
const MIN_WIDTH = 6;
/** Pixels of a letter, about. */
const LETTER = 6.2;

/** Calls of the same functions from the same place. */
interface Frame {
  name: string;
  origin: string;
  /** Microseconds, with all that it called. */
  micros: number;
  calls: Map<string, Frame>;
}

/**
 * Draws where a busy thread was: as wide as long, what calls above what is called. Time in which it
 * waited is left out. See https://www.brendangregg.com/flamegraphs.html.
 */
export function flameGraph(
  title: string,
  profile: CpuProfile,
  origins: Origins = DENO,
): string {
  const root = framesOf(profile, origins);
  const parts: string[] = [];
  let depth = 0;
  const scale = (WIDTH - 2 * MARGIN) / root.micros;
  const draw = (frame: Frame, x: number, row: number) => {
    const width = frame.micros * scale;
    if (width < MIN_WIDTH) return;
    depth = Math.max(depth, row + 1);
    const y = TOP + ROW * row;
    parts.push(rect(x, y, width - 0.5, ROW - 1, origins.legend[frame.origin]![1]));
    const letters = Math.floor((width - 6) / LETTER);
    if (letters > 2) {
      const share = `${frame.name} ${(100 * frame.micros / root.micros).toFixed(1)} %`;
      const words = share.length <= letters ? share : frame.name.slice(0, letters);
      parts.push(text(x + 3, y + 12, words, { size: 11 }));
    }
    let at = x;
    for (const call of byTime(frame)) {
      draw(call, at, row + 1);
      at += call.micros * scale;
    }
  };
  let at = MARGIN;
  for (const call of byTime(root)) {
    draw(call, at, 0);
    at += call.micros * scale;
  }
  return picture(WIDTH, TOP + ROW * depth + MARGIN, [
    text(MARGIN, 26, title, { size: 15, bold: true }),
    ...legendOf(root, origins),
    ...parts,
  ]);
}

function byTime({ calls }: Frame): Frame[] {
  return [...calls.values()].sort((a, b) => b.micros - a.micros);
}

/** The tree of calls, without time in which the thread waited. */
function framesOf({ nodes, samples, timeDeltas }: CpuProfile, origins: Origins): Frame {
  const root: Frame = { name: "", origin: "", micros: 0, calls: new Map() };
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parentOf = new Map(
    nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)),
  );
  const selfMicros = new Map<number, number>();
  for (const [i, id] of samples.entries()) {
    selfMicros.set(id, (selfMicros.get(id) ?? 0) + timeDeltas[i]!);
  }
  for (const [id, micros] of selfMicros) {
    const path: CpuProfile["nodes"][number][] = [];
    for (let at: number | undefined = id; at !== undefined; at = parentOf.get(at)) {
      path.unshift(byId.get(at)!);
    }
    if (path.at(-1)!.callFrame.functionName === "(idle)") continue;
    root.micros += micros;
    let frame = root;
    for (const { callFrame } of path.slice(1)) { // The first is "(root)".
      const { functionName, url } = callFrame;
      const name = functionName || "(anonymous)";
      const key = `${name} ${url}`;
      let call = frame.calls.get(key);
      if (call === undefined) {
        call = { name, origin: origins.of(callFrame), micros: 0, calls: new Map() };
        frame.calls.set(key, call);
      }
      call.micros += micros;
      frame = call;
    }
  }
  root.micros ||= 1; // Of a thread that was never busy.
  return root;
}

/** What the colours stand for, with the time that each has of its own. */
function legendOf(root: Frame, { legend }: Origins): string[] {
  const own = new Map<string, number>();
  const visit = (frame: Frame) => {
    let micros = frame.micros;
    for (const call of frame.calls.values()) {
      micros -= call.micros;
      visit(call);
    }
    own.set(frame.origin, (own.get(frame.origin) ?? 0) + micros);
  };
  for (const call of root.calls.values()) visit(call);
  let x = MARGIN;
  return Object.entries(legend).flatMap(([origin, [name, colour]]) => {
    const words = `${name} ${(100 * (own.get(origin) ?? 0) / root.micros).toFixed(0)} %`;
    const parts = [rect(x, 42, 12, 12, colour), text(x + 18, 52, words)];
    x += 18 + 7 * words.length + 18;
    return parts;
  });
}
