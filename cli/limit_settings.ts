import type { TaskcastConfig } from "@taskcast/core";
import type { ClientAddress, TaskcastAppOptions } from "@taskcast/server";
import { forwardedAddress } from "@taskcast/server";

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

/** `Deno.serve` tells of the connection in its second argument, which Hono passes on as `env`. */
function clientAddressBehind(hops: number): ClientAddress {
  return (request, { env }) =>
    forwardedAddress(request, (env as { remoteAddr?: Deno.NetAddr }).remoteAddr?.hostname, hops);
}
