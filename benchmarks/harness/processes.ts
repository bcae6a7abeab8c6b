// What the operating system says of a process. Linux only; elsewhere nothing is known.
import { median } from "./measure.ts";

/** Ticks of the processor's clock in a second; on Linux always that many for user space. */
const TICKS_PER_SECOND = 100;

/** Milliseconds of processor time that a process has used, and the children that it waited for. */
export async function cpuMs(pid: number | "self"): Promise<number | undefined> {
  try {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    // The name, in parentheses, may have blanks; behind it, the state is the third field.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return 1000 * ticks / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

/** Bytes of memory that a process has. */
export async function rssBytes(pid: number | "self"): Promise<number | undefined> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
  } catch {
    return undefined;
  }
}

/** A process whose use of the machine is known. */
export interface WatchedProcess {
  /** Bytes of memory, where that can be known. */
  rss(): Promise<number | undefined>;
  /** Milliseconds of processor time used so far, where that can be known. */
  cpuMs(): Promise<number | undefined>;
}

/** Use of the machine by both sides while they worked. */
export interface Usage {
  /** Processors that each side kept busy: 1 is one of them, all the time. */
  serverCpu?: number;
  clientCpu?: number;
  /** Memory that the server's process had at the end. */
  serverRssMiB?: number;
}

/**
 * Does some work and tells who was busy meanwhile, so that a reader sees which side was full. The
 * client is this process and its children that ended.
 */
export async function watchUsage<T>(
  server: WatchedProcess,
  work: () => Promise<T>,
): Promise<{ value: T; usage: Usage }> {
  const startMs = performance.now();
  const [serverMs, clientMs] = [await server.cpuMs(), await cpuMs("self")];
  const value = await work();
  const share = async (now: Promise<number | undefined>, before: number | undefined) => {
    const usedMs = await now;
    return usedMs === undefined || before === undefined
      ? undefined
      : (usedMs - before) / (performance.now() - startMs);
  };
  const usage: Usage = {
    serverCpu: await share(server.cpuMs(), serverMs),
    clientCpu: await share(cpuMs("self"), clientMs),
  };
  const rss = await server.rss();
  if (rss !== undefined) usage.serverRssMiB = rss / 1024 / 1024;
  return { value, usage };
}

/** The median of the rounds' processors and the most memory; what is not known is left out. */
export function usageOf(rounds: readonly { usage: Usage }[]): Usage {
  const known = (key: keyof Usage) =>
    rounds.flatMap(({ usage }) => usage[key] === undefined ? [] : [usage[key]]);
  const middle = (values: number[]) => values.length === 0 ? undefined : median(values);
  const memory = known("serverRssMiB");
  return {
    serverCpu: middle(known("serverCpu")),
    clientCpu: middle(known("clientCpu")),
    serverRssMiB: memory.length === 0 ? undefined : Math.max(...memory),
  };
}
