import type { RequestLimits, StreamSlots } from "../limits/mod.ts";
import type { Instruments } from "./instruments.ts";

/** Limiters of one app. */
export interface Limiters {
  limits: RequestLimits;
  slots: Readonly<Record<"reading" | "publishing", StreamSlots>>;
}

/** Measures what limits refuse, and how near their bounds streams are. */
export function addLimitMetrics(make: Instruments, { limits, slots }: Limiters): void {
  make.countedBy(
    "requests_limited_total",
    "Requests answered with 429, by the limit that was met",
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
    "Streams that count for maxStreams, of readers and of producers",
    "kind",
    () => ({ reading: slots.reading.open, publishing: slots.publishing.open }),
  );
  make.gauge(
    "stream_slots_limit",
    "maxStreams: how many of each kind may be open",
    () => slots.reading.max,
  );
}
