import type { BroadcastProvider } from "./broadcast.ts";
import type { LongTermStore } from "./long_term_store.ts";
import type { ShortTermStore } from "./short_term_store.ts";

/** The adapters of an engine, by role. */
export interface Adapters {
  /** Wakes readers. */
  broadcast: BroadcastProvider;
  /** Stores live tasks and their logs. */
  shortTerm: ShortTermStore;
  /** Stores tasks and logs permanently. */
  longTerm: LongTermStore;
}

/** A role that an adapter can fill. */
export type AdapterRole = keyof Adapters;

/** The roles that adapters can fill. */
export const ADAPTER_ROLES: readonly AdapterRole[] = ["broadcast", "shortTerm", "longTerm"];

/** A request to open the adapters of a plugin. */
export interface AdapterRequest {
  /** The roles to fill. They share resources such as connections or a file where possible. */
  roles: readonly AdapterRole[];
  /** The settings that stand beside `provider` in the configuration. */
  options: Readonly<Record<string, unknown>>;
}

/**
 * A kind of adapter that a configuration can name: the default export of a module.
 *
 * @example A store of your own
 * ```ts
 * import type { AdapterPlugin } from "@taskcast/core/adapter";
 * import { MemoryShortTermStore } from "@taskcast/core";
 * import { readAdapterOptions } from "@taskcast/core/adapter";
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
  /** Its name in messages. */
  readonly name: string;
  /** The roles it can fill. */
  readonly roles: readonly AdapterRole[];
  /**
   * Opens the requested adapters; their roles are among `roles`. Settings that cannot work are an error
   * whose message says why and contains no password.
   */
  open(request: AdapterRequest): Partial<Adapters> | Promise<Partial<Adapters>>;
}

/** The types of options, by name. */
export interface OptionTypes {
  /** A string. */
  string: string;
  /** A number. */
  number: number;
  /** `true` or `false`. */
  boolean: boolean;
}

/**
 * Checks the options of a plugin.
 *
 * @param plugin The plugin's name, for messages.
 * @param types The type of each option.
 * @throws {TypeError} For an unknown option, or a value of the wrong type.
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
