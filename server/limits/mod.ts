export { addressKey, forwardedAddress } from "./client_address.ts";
export type { Rate } from "./rate_limiter.ts";
export type { ClientAddress, RateLimitOptions } from "./request_limits.ts";
export { RequestLimits } from "./request_limits.ts";
export type { StreamLimits } from "./stream_slots.ts";
export { StreamSlots } from "./stream_slots.ts";
