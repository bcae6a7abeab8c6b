/** Returns the error for an invalid address; it contains no part of the address. */
export function wrong(problem: string): TypeError {
  return new TypeError(`createPostgresAdapters(): the address ${problem}`);
}

/** Returns the error for an invalid parameter. Its value is not shown, since it may be a secret. */
export function wrongValue(name: string, problem: string): TypeError {
  return wrong(`has the parameter "${name}", which ${problem}`);
}
