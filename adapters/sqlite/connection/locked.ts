/** Whether another process has the file to itself; drivers say it in different ways. */
export function isLocked(error: unknown): boolean {
  return error instanceof Error && /database is locked/i.test(error.message);
}

/** What goes wrong when a file is opened, in words that say what to look for. */
export function openingError(error: unknown): unknown {
  if (!isLocked(error)) return error;
  return new Error(
    "another process has locked the file: it holds an exclusive lock, or is in the middle of a long " +
      "transaction",
    { cause: error },
  );
}
