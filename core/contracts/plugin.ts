import type { BroadcastProvider } from "./broadcast.ts";
import type { LongTermStore } from "./long_term_store.ts";
import type { ShortTermStore } from "./short_term_store.ts";

/** What an engine is made of. */
export interface Adapters {
  /** Wakes readers. */
  broadcast: BroadcastProvider;
  /** Holds tasks and logs. */
  shortTerm: ShortTermStore;
  /** Keeps them for good. */
  longTerm: LongTermStore;
}

/** A part that an adapter can play. */
export type AdapterRole = keyof Adapters;

/** The parts that adapters can play. */
export const ADAPTER_ROLES: readonly AdapterRole[] = ["broadcast", "shortTerm", "longTerm"];

/** What a plugin is asked for. */
export interface AdapterRequest {
  /** Parts that are to share what they can: connections, a file. */
  roles: readonly AdapterRole[];
  /** What the configuration says beside `provider`. */
  options: Readonly<Record<string, unknown>>;
}

/**
 * A kind of adapter that can be named in a configuration: the default export of a module.
 *
 * @example A store of your own
 * ```ts
 * import type { AdapterPlugin } from "@taskcast/core";
 * import { MemoryShortTermStore, readAdapterOptions } from "@taskcast/core";
 *
 * const plugin: AdapterPlugin = {
 *   name: "small-memory",
 *   roles: ["shortTerm"],
 *   open({ options }) {
 *     const { megabytes = 16 } = readAdapterOptions("small-memory", options, { megabytes: "number" });
 *     return { shortTerm: new MemoryShortTermStore({ maxBytes: megabytes * 1024 * 1024 }) };
 *   },
 * };
 * export default plugin;
 * ```
 */
export interface AdapterPlugin {
  /** What it is called in messages. */
  readonly name: string;
  /** The parts that it can play. */
  readonly roles: readonly AdapterRole[];
  /**
   * Opens what is asked for, which is among `roles`. What cannot work is an error that says why,
   * without passwords.
   */
  open(request: AdapterRequest): Partial<Adapters> | Promise<Partial<Adapters>>;
}

/** The types that an option may have, by name. */
export interface OptionTypes {
  /** A text. */
  string: string;
  /** A number. */
  number: number;
  /** `true` or `false`. */
  boolean: boolean;
}

/**
 * Checks the options of a plugin.
 *
 * @param plugin Its name, for messages.
 * @param types What each option must be.
 * @throws {TypeError} For an unknown option, or a value of another type.
 */
export function readAdapterOptions<Types extends Record<string, keyof OptionTypes>>(
  plugin: string,
  options: Readonly<Record<string, unknown>>,
  types: Types,
): { [Name in keyof Types]?: OptionTypes[Types[Name]] } {
  for (const [name, value] of Object.entries(options)) {
    const type = types[name];
    if (type === undefined) {
      const known = Object.keys(types).join(", ");
      throw new TypeError(`${plugin} has no option "${name}"; it has: ${known}`);
    }
    if (value !== undefined && typeof value !== type) {
      throw new TypeError(`the option "${name}" of ${plugin} must be a ${type}`);
    }
  }
  return options as { [Name in keyof Types]?: OptionTypes[Types[Name]] };
}
