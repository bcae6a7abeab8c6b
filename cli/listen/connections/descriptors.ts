import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";

/**
 * Returns how many files and sockets this process may have open: the soft limit of Linux. `undefined`
 * where it cannot be read.
 */
export function descriptorLimit(): number | undefined {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const [, soft] = /^Max open files\s+(\d+)/m.exec(limits) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined; // Another system, or a runtime without the permission.
  }
}

/** Returns how many files and sockets are open; `undefined` where it cannot be read. */
export async function openDescriptors(): Promise<number | undefined> {
  try {
    return (await readdir("/proc/self/fd")).length;
  } catch {
    return undefined;
  }
}
