import type { TaskcastConfig } from "@taskcast/core";
import type { ClientAddress, TaskcastAppOptions } from "@taskcast/server";
import { forwardedAddress } from "@taskcast/server";
import type { ConnectionInfo } from "../listen/contract.ts";

/** How much callers may ask for. */
export type LimitSettings = Pick<
  TaskcastAppOptions,
  "rateLimit" | "maxStreams" | "maxStreamsPerCredential" | "clientAddress"
>;

/** The limits of a configuration that holds. */
export function limitSettings({ limits = {}, trustProxy = 0 }: TaskcastConfig): LimitSettings {
  const { rateLimit: { requestsPerSecond, burst } = {}, maxStreams, maxStreamsPerCredential } =
    limits;
  return {
    rateLimit: requestsPerSecond === undefined ? undefined : { requestsPerSecond, burst },
    maxStreams,
    maxStreamsPerCredential,
    clientAddress: clientAddressBehind(trustProxy),
  };
}

/** The server tells of the connection beside the request, which Hono passes on as `env`. */
function clientAddressBehind(hops: number): ClientAddress {
  return (request, { env }) =>
    forwardedAddress(request, (env as Partial<ConnectionInfo>).remoteAddress, hops);
}
