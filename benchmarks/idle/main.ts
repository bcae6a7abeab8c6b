// What an idle reader costs, in memory: raw connections that got their first bytes, against a server
// whose streams have one chunk and nothing else. Needs `ulimit -n` above the number of readers.
//
//   deno run -A benchmarks/idle/main.ts [readers=2000] [rounds=3] [listeners=deno,node]
import { quantile, send } from "../load.ts";

const [readers = "2000", rounds = "3", listeners = "deno,node"] = Deno.args;
const count = Number(readers);
const path = "/tasks/t/events";
const results = new Map<string, Cost[]>();

/** Bytes for each reader. */
interface Cost {
  rss: number;
  heap: number;
}

for (let round = 0; round < Number(rounds); round++) {
  for (const listener of listeners.split(",")) {
    for (const kind of ["bare", "taskcast"]) {
      const cost = await measure(kind, listener);
      const key = `${listener} ${kind}`;
      results.set(key, [...results.get(key) ?? [], cost]);
    }
  }
}
for (const [server, costs] of results) {
  const median = (of: keyof Cost) => Math.round(quantile(costs.map((cost) => cost[of]), 0.5));
  console.log(JSON.stringify({ server, readers: count, rss: median("rss"), heap: median("heap") }));
}

async function measure(kind: string, listener: string): Promise<Cost> {
  const process = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", "--v8-flags=--expose-gc"],
      ...[new URL("server.ts", import.meta.url).pathname, kind, listener],
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let said = "";
  for await (const text of process.stderr.pipeThrough(new TextDecoderStream())) {
    said += text;
    if (said.includes("\n")) break;
  }
  const port = Number(/:(\d+)\n/.exec(said)![1]);
  if (kind === "taskcast") {
    await (await send("POST", `http://127.0.0.1:${port}/tasks`, { id: "t" })).body?.cancel();
  }
  const usage = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/gc`);
    return { heap: (await response.json()).heapUsed, rss: await rssOf(process.pid) };
  };
  // Code is compiled, pools and tables have their first size.
  for (const reader of await open(port, 200)) reader.close();
  await usage();
  const before = await usage();
  const open_ = await open(port, count);
  await usage();
  const after = await usage();
  for (const reader of open_) reader.close();
  process.kill("SIGKILL");
  await process.status;
  return {
    rss: (after.rss - before.rss) / count,
    heap: (after.heap - before.heap) / count,
  };
}

/** Connections that have their first bytes of the stream. */
async function open(port: number, many: number): Promise<Deno.Conn[]> {
  const all: Deno.Conn[] = [];
  while (all.length < many) {
    const few = Array.from({ length: Math.min(100, many - all.length) }, () => openOne(port));
    all.push(...await Promise.all(few));
  }
  return all;
}

async function openOne(port: number): Promise<Deno.Conn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const request = `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: text/event-stream\r\n\r\n`;
  await connection.write(new TextEncoder().encode(request));
  const buffer = new Uint8Array(4096);
  let text = "";
  while (!/^HTTP\/1.1 200[^]*retry:/.test(text)) {
    const bytes = await connection.read(buffer);
    if (bytes === null) throw new Error(`the server closed: ${text}`);
    text += new TextDecoder().decode(buffer.subarray(0, bytes));
    if (!"HTTP/1.1 200".startsWith(text.slice(0, 12))) throw new Error(text);
  }
  return connection;
}

async function rssOf(pid: number): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024;
}
