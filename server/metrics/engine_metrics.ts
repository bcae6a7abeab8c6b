import type { EngineStats, TaskEngine } from "@taskcast/core";
import type { ObservedCommit } from "@taskcast/core/adapter";
import type { Instruments } from "./instruments.ts";
import { FAST_BUCKETS, SLOW_BUCKETS } from "./instruments.ts";

/** Final states of tasks, all of which are shown from the start. */
const ENDINGS = ["completed", "failed", "timeout", "cancelled"] as const;

/** Adds metrics about an engine's tasks, events and readers. */
export function addEngineMetrics(make: Instruments, engine: TaskEngine): void {
  const counted = (name: string, help: string, key: keyof EngineStats) =>
    make.counted(name, help, () => engine.stats[key]);
  const gauge = (name: string, help: string, key: keyof EngineStats) =>
    make.gauge(name, help, () => engine.stats[key]);

  counted("tasks_created_total", "Tasks created by this instance", "tasksCreated");
  const ended: Record<string, number> = Object.fromEntries(ENDINGS.map((status) => [status, 0]));
  make.countedBy("tasks_ended_total", "Tasks ended by this instance", "status", () => ended);
  counted("leases_lost_total", "Tasks ended because their lease expired", "leasesLost");
  let published = 0;
  make.counted("events_published_total", "Events that producers published", () => published);
  counted("events_stored_total", "Events stored, including the server's own", "eventsStored");

  // Counted in plain numbers, since this happens on every commit.
  const commits: Partial<Record<ObservedCommit["outcome"], number>> = { ok: 0 };
  make.countedBy(
    "commits_total",
    "Commits by outcome: ok, the reason of a refusal, or error",
    "outcome",
    () => lowerCase(commits),
  );
  const commitSeconds = make.distribution(
    "commit_duration_seconds",
    "Duration of commits in the short-term store",
    FAST_BUCKETS,
  );

  gauge("streams", "Open streams, one per reader", "streams");
  gauge("followed_tasks", "Tasks with open streams", "tails");
  gauge("tail_bytes", "Approximate memory of recent events kept for readers", "tailBytes");
  gauge("view_bytes", "Approximate memory of encoded frames kept for readers", "viewBytes");
  const delivery = make.distribution(
    "delivery_latency_seconds",
    "Time from an event's timestamp until it is handed to streams; one sample per read",
    FAST_BUCKETS,
  );
  let laggingReads = 0;
  make.counted(
    "lagging_reads_total",
    "Store reads for a single reader that resumes or lags",
    () => laggingReads,
  );
  let laggingEvents = 0;
  make.counted(
    "lagging_events_total",
    "Events read from the store for a single reader that resumes or lags",
    () => laggingEvents,
  );

  make.gauge(
    "due_work_lag_seconds",
    "Delay so far of the oldest due work that is not done",
    () => engine.stats.dueLagMs / 1000,
  );
  const dueSeconds = make.distributionBy(
    "due_work_delay_seconds",
    "Delay of due work when it was done",
    SLOW_BUCKETS,
    "kind",
  );
  make.gauge(
    "archive_lag_seconds",
    "Delay so far of the oldest work not yet archived that this instance saw",
    () => engine.stats.archiveLagMs / 1000,
  );
  make.gauges(
    "set_aside_tasks",
    "Tasks that this instance set aside because their work keeps failing, by queue",
    "queue",
    () =>
      Object.fromEntries(
        Object.entries(engine.setAside({ limit: 0 })).map(([queue, { count }]) => [queue, count]),
      ),
  );
  counted(
    "tasks_displaced_total",
    "Archived tasks kept under another id because another task has taken theirs",
    "tasksDisplaced",
  );
  counted("events_archived_total", "Events archived by this instance", "eventsArchived");
  counted("tasks_released_total", "Hot copies released by this instance", "tasksReleased");
  counted(
    "tasks_overtaken_total",
    "Hot copies dropped because the archive has an end of the task that they lack",
    "tasksOvertaken",
  );
  counted(
    "tasks_refilled_total",
    "Live tasks restored from the archive after the short-term store lost them or their events",
    "tasksRefilled",
  );
  counted(
    "tasks_cleaned_total",
    "Ended tasks deleted by cleanup rules, by this instance",
    "tasksCleaned",
  );
  counted(
    "events_trimmed_total",
    "Events deleted by cleanup rules, by this instance",
    "eventsTrimmed",
  );
  const archiveSeconds = make.distributionBy(
    "archive_write_duration_seconds",
    "Duration of a batch in the archive",
    SLOW_BUCKETS,
    "outcome",
  );
  counted("webhook_deliveries_total", "Events delivered to webhooks", "webhooksDelivered");
  counted(
    "webhook_attempts_failed_total",
    "Webhook delivery attempts that failed",
    "webhookAttemptsFailed",
  );
  counted(
    "webhook_deliveries_given_up_total",
    "Webhook deliveries abandoned after the last attempt",
    "webhooksGivenUp",
  );
  gauge("webhook_attempts_under_way", "Webhook delivery attempts in progress", "webhooksUnderWay");
  const attemptSeconds = make.distribution(
    "webhook_attempt_duration_seconds",
    "Duration of webhook delivery attempts",
    SLOW_BUCKETS,
  );

  engine.observe({
    onCommit({ outcome, durationMs, published: count, ended: status }) {
      commits[outcome] = (commits[outcome] ?? 0) + 1;
      commitSeconds.observe(durationMs / 1000);
      published += count;
      if (status !== undefined) ended[status] = (ended[status] ?? 0) + 1;
    },
    onDelivery: (latencyMs) => delivery.observe(latencyMs / 1000),
    onLaggingRead(events) {
      laggingReads++;
      laggingEvents += events;
    },
    onArchiving: ({ ok, durationMs }) =>
      archiveSeconds(ok ? "ok" : "error").observe(durationMs / 1000),
    onWebhookAttempt: ({ durationMs }) => attemptSeconds.observe(durationMs / 1000),
    onDueWork: (kind, lateMs) => dueSeconds(kind).observe(lateMs / 1000),
  });
}

function lowerCase(counts: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(counts).map(([name, count]) => [name.toLowerCase(), count]),
  );
}
