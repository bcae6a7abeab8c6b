import { createRequire } from "node:module";
import type { SqliteDatabase } from "./driver.ts";

type Driver = new (path: string) => SqliteDatabase;

/**
 * Opens a file with the runtime's own driver, which Deno has, and Node from 22 on; else with
 * better-sqlite3, if it is installed.
 *
 * @throws {Error} If there is neither, or the file cannot be opened.
 */
export function openFile(path: string): SqliteDatabase {
  return new (driver())(path);
}

function driver(): Driver {
  // Asked for only now, so that who brings a driver needs none of the runtime.
  const require = createRequire(import.meta.url);
  try {
    return require("node:sqlite").DatabaseSync;
  } catch {
    // An old Node.
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
