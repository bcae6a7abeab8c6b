import type { Logger } from "./logger.ts";

/** Origins that are named in the log; more tell nothing new. */
const MAX_NAMED_ORIGINS = 10;

/** Warns, once for each origin, that its pages ask in vain, and says what lets them in. */
export function createOriginLog(log: Logger): (origin: string) => void {
  const named = new Set<string>();
  return (origin) => {
    if (named.has(origin) || named.size === MAX_NAMED_ORIGINS) return;
    named.add(origin);
    log.warn(
      `a page of ${origin} asks and may not read the answers: let it with --cors ${origin}, ` +
        "TASKCAST_CORS or cors.origin",
    );
  };
}
