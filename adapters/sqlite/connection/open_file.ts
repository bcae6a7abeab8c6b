import { createRequire } from "node:module";
import type { SqliteDatabase } from "./driver.ts";

type Driver = new (path: string) => SqliteDatabase;

/**
 * Opens a file with the driver of the runtime, which Deno has, and Node from 22 on; otherwise with
 * better-sqlite3, if it is installed.
 *
 * @throws {Error} If there is no driver, or the file cannot be opened.
 */
export function openFile(path: string): SqliteDatabase {
  return new (driver())(path);
}

function driver(): Driver {
  // Loaded lazily, so that callers with a driver of their own need none of the runtime.
  const require = createRequire(import.meta.url);
  try {
    return require("node:sqlite").DatabaseSync;
  } catch {
    // Node before 22.
  }
  const name = "better-sqlite3";
  try {
    return require(name);
  } catch (cause) {
    throw new Error(
      `This runtime has no node:sqlite, and the package "${name}" cannot be loaded; ` +
        `install it, or use Node 22.13 or later`,
      { cause },
    );
  }
}
