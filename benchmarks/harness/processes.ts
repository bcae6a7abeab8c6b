// Processor time and memory of a process, from /proc. Undefined on other systems than Linux.
import { median } from "./measure.ts";

/** Ticks per second of the times in /proc; Linux always reports this rate to user space. */
const TICKS_PER_SECOND = 100;

/** Returns the milliseconds of processor time that a process and its awaited children have used. */
export async function cpuMs(pid: number | "self"): Promise<number | undefined> {
  try {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    // The name, in parentheses, may contain blanks. The state, behind it, is the third field.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    return 1000 * ticks / TICKS_PER_SECOND;
  } catch {
    return undefined;
  }
}

/** Returns the bytes of resident memory of a process. */
export async function rssBytes(pid: number | "self"): Promise<number | undefined> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
  } catch {
    return undefined;
  }
}

/** A process that reports its use of the machine. */
export interface WatchedProcess {
  /** Returns the bytes of resident memory, if known. */
  rss(): Promise<number | undefined>;
  /** Returns the milliseconds of processor time used so far, if known. */
  cpuMs(): Promise<number | undefined>;
}

/** Use of the machine by both sides while they worked. */
export interface Usage {
  /** Processors that each side kept busy; 1 is one processor all the time. */
  serverCpu?: number;
  clientCpu?: number;
  /** Resident memory of the server at the end. */
  serverRssMiB?: number;
}

/**
 * Does some work and measures how busy both sides were, which shows the bottleneck. The client is
 * this process and its children that have ended.
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

/** Returns the median processor use and the highest memory of the rounds. */
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
