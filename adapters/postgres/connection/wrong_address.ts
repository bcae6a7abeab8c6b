/** Refuses an address, and shows nothing of it. */
export function wrong(problem: string): TypeError {
  return new TypeError(`createPostgresAdapters(): the address ${problem}`);
}

/** Refuses a parameter of an address. Its value is not shown: it is likelier a secret than its name. */
export function wrongValue(name: string, problem: string): TypeError {
  return wrong(`has the parameter "${name}", which ${problem}`);
}
