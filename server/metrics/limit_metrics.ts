import type { RequestLimits, StreamSlots } from "../limits/mod.ts";
import type { Instruments } from "./instruments.ts";

/** The limits of one app. */
export interface Limiters {
  limits: RequestLimits;
  slots: Readonly<Record<"reading" | "publishing", StreamSlots>>;
}

/** Adds metrics about refused requests, and about how close open streams are to their bounds. */
export function addLimitMetrics(make: Instruments, { limits, slots }: Limiters): void {
  make.countedBy(
    "requests_limited_total",
    "Requests answered with 429, by the limit that was reached",
    "reason",
    () => ({
      ...limits.refused,
      caller_streams: slots.reading.refused.ofCaller,
      streams: slots.reading.refused.ofAll,
      caller_publishing_streams: slots.publishing.refused.ofCaller,
      publishing_streams: slots.publishing.refused.ofAll,
    }),
  );
  make.gauges(
    "stream_slots_in_use",
    "Streams that count towards maxStreams, of readers and of producers",
    "kind",
    () => ({ reading: slots.reading.open, publishing: slots.publishing.open }),
  );
  make.gauge(
    "stream_slots_limit",
    "maxStreams: the maximum number of open streams of each kind",
    () => slots.reading.max,
  );
}
