import { existsSync } from "node:fs";
import type { CleanupReport } from "@taskcast/core";
import { cleanUp } from "@taskcast/core";
import { ADAPTER_ROLES } from "@taskcast/core/adapter";
import { toJsonLine } from "@taskcast/core/protocol";
import type { Terminal } from "../command_line/terminal.ts";
import { printable } from "../command_line/terminal.ts";
import type { AdapterSettings } from "../config/provider.ts";
import { fileOf, isNamed } from "../config/provider.ts";
import { SettingsError } from "../config/settings_error.ts";
import type { StartSettings } from "../config/start_settings.ts";
import { openAdapters } from "../server/open_adapters.ts";

/** Options of `taskcast cleanup`. */
export interface CleanupOptions {
  /** Changes nothing, and shows what would be deleted. */
  dryRun: boolean;
  /** Writes a line of JSON for each task. */
  json: boolean;
}

/**
 * `taskcast cleanup`: applies due clean-up rules once, to all ended tasks. Servers do so by themselves;
 * this is for a look beforehand, or while servers are stopped.
 *
 * @returns The exit code.
 */
export async function cleanup(
  { storage, packageFolders, cleanup, engine }: StartSettings,
  { dryRun, json }: CleanupOptions,
  terminal: Terminal,
): Promise<number> {
  if (storage.isPrivate) {
    throw new SettingsError(
      "cleanup needs storage that it shares with a server, and memory is in the server's process: " +
        "name it with -c, --storage, --redis-url or --postgres-url",
    );
  }
  const existing = existingAdapters(storage.adapters, dryRun);
  if (cleanup.rules === undefined || cleanup.rules.length === 0) {
    terminal.note("The configuration has no clean-up rules; only those of tasks apply");
  }
  const { adapters, close } = await openAdapters(existing, packageFolders);
  const counts = { tasks: 0, trimmed: 0, events: 0 };
  try {
    const reports = cleanUp({
      broadcast: adapters.broadcast,
      shortTermStore: adapters.shortTerm,
      longTermStore: adapters.longTerm,
      options: engine,
      cleanup,
      dryRun,
    });
    for await (const report of reports) {
      if (report.action === "deleted") counts.tasks++;
      else {
        counts.trimmed++;
        counts.events += report.events;
      }
      await terminal.out(json ? jsonOf(report, dryRun) : lineOf(report, dryRun, terminal));
    }
  } finally {
    await close();
  }
  terminal.note(terminal.paint(dryRun ? "yellow" : "green", summary(counts, dryRun)));
  return 0;
}

/**
 * Returns settings with which opening creates nothing: no file, and in a dry run no tables.
 *
 * @throws {SettingsError} If a file does not exist.
 */
function existingAdapters(settings: AdapterSettings, dryRun: boolean): AdapterSettings {
  const checked = { ...settings };
  for (const role of ADAPTER_ROLES) {
    const adapter = checked[role];
    if (!isNamed(adapter)) continue;
    const { provider } = adapter;
    const file = fileOf(adapter);
    if (file !== undefined && !existsSync(file)) {
      throw new SettingsError(`there is no file ${file}, so there is nothing to clean up`);
    }
    if (provider === "postgres" && dryRun) checked[role] = { ...adapter, autoMigrate: false };
  }
  return checked;
}

function summary(
  { tasks, trimmed, events }: { tasks: number; trimmed: number; events: number },
  dryRun: boolean,
): string {
  if (tasks + trimmed === 0) return dryRun ? "Nothing is due" : "Nothing was due";
  const did = `${plural(tasks, "task")}, and ${plural(events, "event")} of ` +
    plural(trimmed, "other task");
  return dryRun ? `Would delete ${did}; nothing was changed` : `Deleted ${did}`;
}

function jsonOf({ task, rules, action, events }: CleanupReport, dryRun: boolean): string {
  const { id, type, status, completedAt } = task;
  return toJsonLine({ taskId: id, type, status, completedAt, action, events, rules, dryRun }) +
    "\n";
}

function lineOf(
  { task, rules, action, events }: CleanupReport,
  dryRun: boolean,
  { paintOut }: Terminal,
): string {
  const { id, type = "", status, completedAt } = task;
  const words = {
    deleted: ["would delete", "deleted"],
    trimmed: ["would trim", "trimmed"],
  } as const;
  const columns = [
    paintOut(action === "deleted" ? "red" : "yellow", words[action][dryRun ? 0 : 1]),
    paintOut("cyan", id),
    printable(type),
    `${status} ${new Date(completedAt!).toISOString()}`,
    plural(events, "event"),
    printable(rules.join(", ")),
  ];
  return columns.filter((column) => column !== "").join("  ") + "\n";
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
