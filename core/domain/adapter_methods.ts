import type { AdapterRole, Adapters } from "../contracts/plugin.ts";

/** The names of the methods of an interface. */
type MethodsOf<T> = {
  [Name in keyof T]-?: T[Name] extends (...args: never[]) => unknown ? Name : never;
}[keyof T];

/** The methods of each role. A method added to a contract is a type error here until it is listed. */
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
    schedule: true,
    scheduled: true,
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
    schedule: true,
    deleteTask: true,
    check: true,
    close: true,
  },
};

/** Returns the methods that an adapter lacks for a role, e.g. `["check()"]`. */
export function missingMethods(adapter: unknown, role: AdapterRole): string[] {
  const there = (adapter ?? {}) as Record<string, unknown>;
  return Object.keys(METHODS[role])
    .filter((name) => typeof there[name] !== "function")
    .map((name) => `${name}()`);
}
