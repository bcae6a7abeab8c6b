import { systemClock } from "../contracts/clock.ts";
import type { ErrorContext } from "../contracts/hooks.ts";
import { hintFor } from "../protocol/did_you_mean.ts";
import { invalidInput } from "../protocol/errors.ts";
import { DEFAULT_LIMITS } from "../protocol/limits.ts";
import { assertCleanupRules } from "../domain/validate/cleanup.ts";
import { ArchiveAccess } from "../context/archive_access.ts";
import { assertEngineOptions, assertLimits } from "./assert_options.ts";
import { BoundedReader } from "../readers/bounded_reader.ts";
import type { EngineContext } from "../context/context.ts";
import { DEFAULT_ENGINE_OPTIONS } from "../context/context.ts";
import { noTracer } from "../context/no_tracer.ts";
import { Observers } from "../context/observers.ts";
import type { TaskEngineOptions } from "./options.ts";
import { TieredReader } from "../readers/tiered_reader.ts";

/**
 * Creates the context that the parts of an engine share.
 *
 * @throws {TaskcastError} `INVALID_INPUT` for invalid clean-up rules, limits or options.
 */
export function createContext(
  options: TaskEngineOptions,
  report: (error: unknown, context: ErrorContext) => void,
): EngineContext {
  const { shortTermStore: store, longTermStore: archive, cleanup = {} } = options;
  const { rules: cleanupRules = [] } = cleanup;
  assertCleanupRules(cleanupRules, "cleanup.rules");
  const engineOptions = withDefaults(DEFAULT_ENGINE_OPTIONS, options.options, "options");
  assertEngineOptions(engineOptions);
  const limits = withDefaults(DEFAULT_LIMITS, options.limits, "limits");
  assertLimits(limits);
  const clock = options.clock ?? systemClock;
  const access = archive && new ArchiveAccess(archive, clock, report);
  const reader = archive === undefined || access === undefined
    ? store
    : new TieredReader(store, archive, access);
  return {
    store,
    archive,
    access,
    reader: new BoundedReader(reader, engineOptions.pageBytes),
    broadcast: options.broadcast,
    clock,
    limits,
    options: engineOptions,
    cleanupRules: structuredClone(cleanupRules),
    tracer: options.tracer ?? noTracer,
    observers: new Observers((error) => report(error, { operation: "observer" })),
    report,
  };
}

/** Returns the options with defaults for those that are left out or `undefined`. */
function withDefaults<Options extends object>(
  defaults: Readonly<Options>,
  options: Partial<Options> = {},
  path: string,
): Options {
  const explicit = Object.entries(options).filter(([, value]) => value !== undefined);
  for (const [name] of explicit) {
    if (Object.hasOwn(defaults, name)) continue;
    throw invalidInput(
      `${path}.${name}`,
      `is not known; ${hintFor(name, Object.keys(defaults))}`,
    );
  }
  return { ...defaults, ...Object.fromEntries(explicit) };
}
