import type { RefusedConnections } from "../listen/contract.ts";
import type { Logger } from "./logger.ts";

/** Maximum number of origins that are logged; more tell nothing new. */
const MAX_ORIGINS = 10;

/** Milliseconds between two warnings of refused connections. */
const CONNECTION_WARNING_MS = 10_000;

/** Returns a function that warns once of each origin whose pages are refused, and how to allow it. */
export function createOriginLog(log: Pick<Logger, "warn">): (origin: string) => void {
  const logged = new Set<string>();
  return (origin) => {
    if (logged.has(origin) || logged.size === MAX_ORIGINS) return;
    logged.add(origin);
    log.warn(
      `a page of ${origin} may not call this server: allow it with --cors ${origin}, ` +
        "TASKCAST_CORS or cors.origin",
    );
  };
}

/** Returns a function that warns of refused connections, and names the limits that refuse them. */
export function createConnectionLog(
  log: Pick<Logger, "warn">,
  maxConnections: number,
): (refused: Readonly<RefusedConnections>) => void {
  let quietUntilMs = 0;
  return ({ connections, address, descriptors }) => {
    if (Date.now() < quietUntilMs) return;
    quietUntilMs = Date.now() + CONNECTION_WARNING_MS;
    const limits = [
      ...(descriptors > 0 ? ["of open files (ulimit -n)"] : []),
      ...(connections > 0 ? [`limits.maxConnections (${maxConnections})`] : []),
      ...(address > 0 ? ["limits.maxConnectionsPerAddress"] : []),
    ];
    log.warn(`connections are refused: the bound ${limits.join(" and ")} is reached`, {
      refusedOfAll: connections,
      refusedOfAddress: address,
      outOfDescriptors: descriptors,
    });
  };
}
