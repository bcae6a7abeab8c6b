import type { TaskcastConfig } from "@taskcast/core/config";
import type { ClientAddress, TaskcastAppOptions } from "@taskcast/server";
import { forwardedAddress } from "@taskcast/server";
import type { ConnectionInfo } from "../listen/contract.ts";

/** Limits on requests and streams, as options of the app. */
export type LimitSettings = Pick<
  TaskcastAppOptions,
  "rateLimit" | "maxStreams" | "maxStreamsPerCredential" | "clientAddress"
>;

/** Returns the limits of an effective configuration. */
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

/** Reads the client's address from the connection, which the server passes to Hono as `env`. */
function clientAddressBehind(hops: number): ClientAddress {
  return (request, { env }) =>
    forwardedAddress(request, (env as Partial<ConnectionInfo>).remoteAddress, hops);
}
