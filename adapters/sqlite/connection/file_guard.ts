import { statSync } from "node:fs";
import { dirname } from "node:path";
import { TaskcastError } from "@taskcast/core/protocol";

/** Identity of a file. */
interface Identity {
  dev: number;
  ino: number;
}

interface Stats extends Identity {
  mtimeMs: number;
}

/** The state of a folder when its files were checked. */
interface KnownFolder extends Stats {
  /** Set if the folder had been unchanged for so long that a later change has another time. */
  isSettled: boolean;
}

/** Returns the stats of a path; `undefined` if nothing is there. */
export type Stat = (path: string) => Stats | undefined;

/** Milliseconds within which two changes of a folder may get the same time. */
const GRAIN_MS = 2_000;

/**
 * Notices when open files lose their paths: a database whose file was removed or replaced keeps
 * writing to a file that nobody can open any more. Needs file systems with inode numbers.
 */
export class FileGuard {
  readonly #files = new Map<string, Identity>();
  readonly #folders = new Map<string, KnownFolder | undefined>();
  readonly #stat: Stat;
  #isLost = false;

  constructor(paths: readonly string[], stat: Stat = statOf) {
    this.#stat = stat;
    for (const path of paths) {
      const found = this.#statOrUnknown(path);
      if (found === undefined || found === "unknown" || found.ino === 0) continue;
      this.#files.set(path, { dev: found.dev, ino: found.ino });
      this.#folders.set(dirname(path), undefined);
    }
  }

  /**
   * Checks the files by the state of their folder, which shows whether names in it changed since
   * the last check.
   *
   * @throws {TaskcastError} `STORE_UNAVAILABLE` if they are gone.
   */
  check(): void {
    if (this.#isLost || this.#haveFoldersChanged()) this.checkEach();
  }

  /** Checks each file if the last such check failed. */
  recheck(): void {
    if (this.#isLost) this.checkEach();
  }

  /** Checks each file. */
  checkEach(): void {
    for (const folder of this.#folders.keys()) this.#folders.set(folder, this.#folder(folder));
    this.#isLost = true;
    for (const [path, { dev, ino }] of this.#files) {
      const found = this.#statOrUnknown(path);
      if (found === "unknown") continue;
      if (found === undefined) throw lost(path, "was removed or moved");
      if (found.dev !== dev || found.ino !== ino) throw lost(path, "was replaced by another");
    }
    this.#isLost = false;
  }

  #haveFoldersChanged(): boolean {
    for (const [path, known] of this.#folders) {
      if (known === undefined || !known.isSettled) return true;
      const now = this.#statOrUnknown(path);
      if (now === undefined || now === "unknown") return true;
      if (now.mtimeMs !== known.mtimeMs || now.ino !== known.ino || now.dev !== known.dev) {
        return true;
      }
    }
    return false;
  }

  #folder(path: string): KnownFolder | undefined {
    const found = this.#statOrUnknown(path);
    if (found === undefined || found === "unknown") return undefined;
    const { dev, ino, mtimeMs } = found;
    return { dev, ino, mtimeMs, isSettled: Date.now() - mtimeMs > GRAIN_MS };
  }

  /** Returns the state of a file, or "unknown" without the permission to read it. */
  #statOrUnknown(path: string): Stats | "unknown" | undefined {
    try {
      return this.#stat(path);
    } catch {
      return "unknown";
    }
  }
}

/** The part of Deno that is used, if present. */
interface DenoFiles {
  statSync(path: string): { dev: number; ino: number | null; mtime: Date | null };
  errors: { NotFound: new () => Error };
}

/** Uses Deno's own API if present: it takes a fifth of the time of its `node:fs`. */
function statOf(path: string): Stats | undefined {
  const { Deno: deno } = globalThis as { Deno?: DenoFiles };
  if (deno === undefined) return statSync(path, { throwIfNoEntry: false });
  try {
    const { dev, ino, mtime } = deno.statSync(path);
    return { dev, ino: ino ?? 0, mtimeMs: mtime?.getTime() ?? 0 };
  } catch (error) {
    if (error instanceof deno.errors.NotFound) return undefined;
    throw error;
  }
}

function lost(path: string, what: string): TaskcastError {
  const part = /-(wal|shm)$/.exec(path)?.[0];
  const file = part === undefined ? "its file" : `the file beside it that ends in ${part}`;
  return new TaskcastError(
    "STORE_UNAVAILABLE",
    `The SQLite database cannot be used: ${file} ${what} while it was open; put it back, or stop ` +
      "all processes that use the database and start them again",
  );
}
