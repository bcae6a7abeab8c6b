import type { EngineStats, TaskEngine } from "@taskcast/core";
import type { ObservedCommit } from "@taskcast/core/adapter";
import type { Instruments } from "./instruments.ts";
import { FAST_BUCKETS, SLOW_BUCKETS } from "./instruments.ts";

/** The states in which a task ends, all of which are shown from the start. */
const ENDINGS = ["completed", "failed", "timeout", "cancelled"] as const;

/** Measures what an engine does with tasks, events and readers. */
export function addEngineMetrics(make: Instruments, engine: TaskEngine): void {
  const counted = (name: string, help: string, key: keyof EngineStats) =>
    make.counted(name, help, () => engine.stats[key]);
  const gauge = (name: string, help: string, key: keyof EngineStats) =>
    make.gauge(name, help, () => engine.stats[key]);

  counted("tasks_created_total", "Tasks created by this instance", "tasksCreated");
  const ended: Record<string, number> = Object.fromEntries(ENDINGS.map((status) => [status, 0]));
  make.countedBy("tasks_ended_total", "Tasks ended by this instance", "status", () => ended);
  let published = 0;
  make.counted("events_published_total", "Events that producers published", () => published);
  counted("events_stored_total", "Events stored, those of the server included", "eventsStored");

  // Plain numbers, which are read when metrics are asked for: this is done for every commit.
  const commits: Partial<Record<ObservedCommit["outcome"], number>> = { ok: 0 };
  make.countedBy(
    "commits_total",
    "Commits by outcome: ok, why the store refused, or error",
    "outcome",
    () => lowerCase(commits),
  );
  const commitSeconds = make.distribution(
    "commit_duration_seconds",
    "What the short-term store takes for a commit",
    FAST_BUCKETS,
  );

  gauge("streams", "Open streams: readers", "streams");
  gauge("followed_tasks", "Tasks with open streams: tails", "tails");
  gauge("tail_bytes", "Recent events that are kept for readers, about", "tailBytes");
  gauge("view_bytes", "Encoded frames that are kept for readers, about", "viewBytes");
  const delivery = make.distribution(
    "delivery_latency_seconds",
    "From an event's timestamp until it is handed to streams; one sample per read",
    FAST_BUCKETS,
  );
  let laggingReads = 0;
  make.counted(
    "lagging_reads_total",
    "Reads from the store for one reader alone, who resumes or lags",
    () => laggingReads,
  );
  let laggingEvents = 0;
  make.counted("lagging_events_total", "Events read that way", () => laggingEvents);

  make.gauge(
    "due_work_lag_seconds",
    "How late the oldest due work is that was found and is not done yet",
    () => engine.stats.dueLagMs / 1000,
  );
  const dueSeconds = make.distributionBy(
    "due_work_delay_seconds",
    "How late due work was done",
    SLOW_BUCKETS,
    "kind",
  );
  make.gauge(
    "archive_lag_seconds",
    "How late the oldest unarchived work is, as far as this instance saw",
    () => engine.stats.archiveLagMs / 1000,
  );
  make.gauges(
    "set_aside_tasks",
    "Tasks whose work fails while that of others is done, by queue; of this instance",
    "queue",
    () =>
      Object.fromEntries(
        Object.entries(engine.setAside({ limit: 0 })).map(([queue, { count }]) => [queue, count]),
      ),
  );
  counted(
    "tasks_displaced_total",
    "Tasks of the archive that were kept under another id, as another task has theirs",
    "tasksDisplaced",
  );
  counted("events_archived_total", "Events archived by this instance", "eventsArchived");
  counted("tasks_released_total", "Hot copies given up by this instance", "tasksReleased");
  counted(
    "tasks_overtaken_total",
    "Hot copies given up, as the archive has the end of the task that they had lost",
    "tasksOvertaken",
  );
  counted(
    "tasks_refilled_total",
    "Live tasks brought back from the archive, as the short-term store had lost them or their events",
    "tasksRefilled",
  );
  counted("tasks_cleaned_total", "Ended tasks deleted by rules by this instance", "tasksCleaned");
  counted("events_trimmed_total", "Events deleted by rules by this instance", "eventsTrimmed");
  const archiveSeconds = make.distributionBy(
    "archive_write_duration_seconds",
    "What the archive takes for a batch",
    SLOW_BUCKETS,
    "outcome",
  );
  counted("webhook_deliveries_total", "Events that webhooks took", "webhooksDelivered");
  counted("webhook_attempts_failed_total", "Attempts that failed", "webhookAttemptsFailed");
  counted("webhook_deliveries_given_up_total", "Deliveries given up", "webhooksGivenUp");
  gauge("webhook_attempts_under_way", "Attempts that are under way", "webhooksUnderWay");
  const attemptSeconds = make.distribution(
    "webhook_attempt_duration_seconds",
    "Until a webhook's receiver answered, or was given up",
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
