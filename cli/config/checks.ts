import { DEFAULT_ENGINE_OPTIONS } from "@taskcast/core";
import type { TaskcastConfig } from "@taskcast/core/config";
import {
  assertCleanupRules,
  headerNameProblem,
  originProblem,
  secretProblem,
} from "@taskcast/core/internal";
import { TaskcastError } from "@taskcast/core/protocol";
import { allowedHosts, hostNameProblem, isLoopbackOnly, originsOf } from "./hosts_and_origins.ts";
import type { Layers } from "./layers.ts";

/** The result of checks: problems stop the start, warnings are logged; one line each. */
export interface Findings {
  problems: string[];
  warnings: string[];
}

type Check = (layers: Layers, file: string) => string[];

const PROBLEMS: readonly Check[] = [
  corsProblems,
  secretProblems,
  hostProblems,
  rateLimitProblems,
  cleanupProblems,
];

/**
 * Checks whether the parts of a configuration fit together, where no schema can tell.
 *
 * @param file The configuration file's name in messages.
 */
export function checkParts(layers: Layers, file: string): Findings {
  return {
    problems: PROBLEMS.flatMap((check) => check(layers, file)),
    warnings: cleanupWarnings(layers.config),
  };
}

/** Returns a warning if host names are configured that are never compared. */
export function hostWarnings({ config, sources }: Layers, file: string): string[] {
  if (config.allowHosts === undefined || isLoopbackOnly(config)) return [];
  return [
    `${settingName("allowHosts", sources, file)} has no effect: names are compared only without ` +
    "authentication, without --host and without trustProxy",
  ];
}

/** Returns the setting that set a key, as its author wrote it. */
function settingName(key: string, sources: Layers["sources"], file: string): string {
  const source = sources.get(key);
  return source?.from === "env" || source?.from === "flag" ? source.name : `${file}: ${key}`;
}

function corsProblems({ config: { cors }, sources }: Layers, file: string): string[] {
  if (cors === undefined) return [];
  if (cors.origin === undefined) return [`${file}: cors.origin: is missing, so cors allows nobody`];
  const problems = (cors.allowedHeaders ?? []).flatMap((name) => {
    const problem = headerNameProblem(name);
    return problem === undefined
      ? []
      : [`${file}: cors.allowedHeaders: ${JSON.stringify(name)} ${problem}`];
  });
  const origins = originsOf(cors.origin);
  if (origins === "*") {
    if (!cors.credentials) return problems;
    return [...problems, `${file}: cors.credentials: cannot be true while cors.origin is "*"`];
  }
  const name = settingName("cors.origin", sources, file);
  const wrongOrigins = origins.flatMap((origin) => {
    const problem = originProblem(origin);
    return problem === undefined ? [] : [`${name}: ${JSON.stringify(origin)} ${problem}`];
  });
  return [...problems, ...wrongOrigins];
}

function secretProblems({ config, sources }: Layers, file: string): string[] {
  if (config.allowShortSecrets) return [];
  const { auth, ticketSecret } = config;
  const isUsed = auth?.mode === "jwt" && (auth.jwt?.algorithm ?? "HS256") === "HS256";
  const secrets = [
    ["auth.jwt.secret", isUsed ? auth.jwt?.secret : undefined],
    ["ticketSecret", ticketSecret],
  ] as const;
  return secrets.flatMap(([key, secret]) => {
    const problem = secret === undefined ? undefined : secretProblem(secret);
    if (problem === undefined) return [];
    const source = sources.get(key);
    const name = source?.from === "env" ? source.name : `${file}: ${key}:`;
    return [`${name} ${problem} (--allow-short-secrets accepts it anyway)`];
  });
}

function hostProblems({ config, sources }: Layers, file: string): string[] {
  const name = settingName("allowHosts", sources, file);
  return allowedHosts(config).flatMap((host) => {
    const problem = hostNameProblem(host);
    return problem === undefined ? [] : [`${name}: ${JSON.stringify(host)} ${problem}`];
  });
}

function rateLimitProblems({ config, sources }: Layers, file: string): string[] {
  const rateLimit = config.limits?.rateLimit;
  if (rateLimit === undefined || rateLimit.requestsPerSecond !== undefined) return [];
  const burst = sources.get("limits.rateLimit.burst");
  if (burst?.from === "env") return [`${burst.name} needs TASKCAST_RATE_LIMIT`];
  return [`${file}: limits.rateLimit.requestsPerSecond: is missing, so nothing is limited`];
}

/** Returns problems with clean-up rules beyond their shape, which the engine would refuse. */
function cleanupProblems({ config: { cleanup } }: Layers, file: string): string[] {
  if (cleanup?.rules === undefined) return [];
  try {
    assertCleanupRules(cleanup.rules, "cleanup.rules");
    return [];
  } catch (error) {
    if (!(error instanceof TaskcastError)) throw error;
    return [`${file}: ${error.message.replace(/^"([^"]*)"/, "$1:")}`];
  }
}

/** Warns of rules that delete whole tasks, since the archive does not keep those either. */
function cleanupWarnings({ cleanup, adapters, engine }: TaskcastConfig): string[] {
  if (adapters?.longTerm === undefined) return [];
  const hotMs = engine?.hotRetentionMs ?? DEFAULT_ENGINE_OPTIONS.hotRetentionMs;
  return (cleanup?.rules ?? []).flatMap(({ name, target, trigger }, i) => {
    if (target === "events") return [];
    const rule = `cleanup.rules[${i}]${name === undefined ? "" : ` (${name})`}`;
    return [
      `${rule} also deletes archived history ${
        afterText(trigger.afterMs)
      }; for hot data only leave ` +
      "the rule out, since tasks leave the hot store anyway " +
      `${afterText(hotMs)} (engine.hotRetentionMs)`,
    ];
  });
}

/** Units of time, the longest first. */
const UNITS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
] as const;

function afterText(ms: number): string {
  if (ms === 0) return "at once";
  const [name, length] = UNITS.find(([, length]) => ms >= length) ?? ["millisecond", 1];
  const count = Math.round(ms / length * 10) / 10;
  return `after ${count} ${name}${count === 1 ? "" : "s"}`;
}
