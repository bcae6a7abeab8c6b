import type { ClientAddress, TaskcastAppOptions } from "@taskcast/server";
import { forwardedAddress } from "@taskcast/server";
import { wholeNumber } from "./setting_values.ts";
import { SettingsError } from "./settings_error.ts";

/** How much callers may ask for. */
export type LimitSettings = Pick<
  TaskcastAppOptions,
  "rateLimit" | "maxStreams" | "maxStreamsPerCredential" | "clientAddress"
>;

const MAX_RATE = 1_000_000;
const MAX_STREAMS = 9_999_999;
const MAX_HOPS = 10;

/**
 * Reads the limits of the environment.
 *
 * @param given The text of a variable that is set to something.
 * @throws {SettingsError} For the first that is wrong.
 */
export function limitSettings(given: (name: string) => string | undefined): LimitSettings {
  const number = (name: string, max: number) => {
    const text = given(name);
    return text === undefined ? undefined : wholeNumber(text, name, 1, max);
  };
  const requestsPerSecond = number("TASKCAST_RATE_LIMIT", MAX_RATE);
  const burst = number("TASKCAST_RATE_BURST", MAX_RATE);
  if (burst !== undefined && requestsPerSecond === undefined) {
    throw new SettingsError("TASKCAST_RATE_BURST needs TASKCAST_RATE_LIMIT");
  }
  return {
    rateLimit: requestsPerSecond === undefined ? undefined : { requestsPerSecond, burst },
    maxStreams: number("TASKCAST_MAX_STREAMS", MAX_STREAMS),
    maxStreamsPerCredential: number("TASKCAST_MAX_STREAMS_PER_CREDENTIAL", MAX_STREAMS),
    clientAddress: clientAddressBehind(trustedHops(given("TASKCAST_TRUST_PROXY"))),
  };
}

/** How many proxies before this server are ours. */
function trustedHops(text: string | undefined): number {
  if (text === undefined || text === "false") return 0;
  return wholeNumber(text, "TASKCAST_TRUST_PROXY", 0, MAX_HOPS);
}

/** `Deno.serve` tells of the connection in its second argument, which Hono passes on as `env`. */
function clientAddressBehind(hops: number): ClientAddress {
  return (request, { env }) =>
    forwardedAddress(request, (env as { remoteAddr?: Deno.NetAddr }).remoteAddr?.hostname, hops);
}
