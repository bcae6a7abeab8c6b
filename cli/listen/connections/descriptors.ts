import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";

/**
 * Files and sockets that this process may have open: the soft limit of Linux.
 *
 * @returns `undefined` where that cannot be read.
 */
export function descriptorLimit(): number | undefined {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined; // Another system, or a runtime that may not read this.
  }
}

/** Files and sockets that this process has open; `undefined` where that cannot be read. */
export async function openDescriptors(): Promise<number | undefined> {
  try {
    return (await readdir("/proc/self/fd")).length;
  } catch {
    return undefined;
  }
}
