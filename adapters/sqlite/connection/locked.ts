/** Returns true if another process has locked the file; drivers report it differently. */
export function isLocked(error: unknown): boolean {
  return error instanceof Error && /database is locked/i.test(error.message);
}

/** Returns an error of opening a file, in words that say where to look. */
export function openingError(error: unknown): unknown {
  if (!isLocked(error)) return error;
  return new Error(
    "another process has locked the file: it holds an exclusive lock, or is in the middle of a long " +
      "transaction",
    { cause: error },
  );
}
