import type { AdapterRole, Adapters } from "../contracts/plugin.ts";

/** The methods that something must have. */
type MethodsOf<T> = {
  [Name in keyof T]-?: T[Name] extends (...args: never[]) => unknown ? Name : never;
}[keyof T];

/** What each part must be able to do. A method that a contract gets is missing here until it is added. */
const METHODS: {
  readonly [Role in AdapterRole]: Readonly<Record<MethodsOf<Adapters[Role]>, true>>;
} = {
  broadcast: { publish: true, subscribe: true, check: true, close: true },
  shortTerm: {
    getTask: true,
    listTasks: true,
    readLog: true,
    readFolds: true,
    countMatches: true,
    readNotes: true,
    writeNote: true,
    claim: true,
    mark: true,
    marked: true,
    commit: true,
    deleteTask: true,
    due: true,
    archived: true,
    trimLog: true,
    check: true,
    close: true,
  },
  longTerm: {
    getTask: true,
    listTasks: true,
    readLog: true,
    readFolds: true,
    countMatches: true,
    positions: true,
    archive: true,
    moveTask: true,
    trimLog: true,
    claim: true,
    mark: true,
    deleteTask: true,
    check: true,
    close: true,
  },
};

/** The methods that something lacks for a part, e.g. `["check()"]`. */
export function missingMethods(adapter: unknown, role: AdapterRole): string[] {
  const there = (adapter ?? {}) as Record<string, unknown>;
  return Object.keys(METHODS[role])
    .filter((name) => typeof there[name] !== "function")
    .map((name) => `${name}()`);
}
