import type { RequestLimits, StreamSlots } from "../limits/mod.ts";
import type { Instruments } from "./instruments.ts";

/** What bounds the use of one app. */
export interface Limiters {
  limits: RequestLimits;
  slots: StreamSlots;
}

/** Measures what limits refuse, and how near their bounds streams are. */
export function addLimitMetrics(make: Instruments, { limits, slots }: Limiters): void {
  make.countedBy(
    "requests_limited_total",
    "Requests answered with 429, by the limit that was met",
    "reason",
    () => ({
      ...limits.refused,
      caller_streams: slots.refused.ofCaller,
      streams: slots.refused.ofAll,
    }),
  );
  make.gauge("stream_slots_in_use", "Streams that count for maxStreams", () => slots.open);
  make.gauge("stream_slots_limit", "maxStreams: how many may be open", () => slots.max);
}
