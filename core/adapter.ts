/**
 * The contracts that adapters implement, with the rules that stores share: an adapter of your own
 * imports this entry point. `@taskcast/core/conformance` tests it.
 *
 * @example A broadcast provider without wake-ups: readers find events when they poll
 * ```ts
 * import type { BroadcastProvider } from "@taskcast/core/adapter";
 *
 * export const silent: BroadcastProvider = {
 *   publish() {},
 *   subscribe: () => Promise.resolve(() => {}),
 *   check: () => Promise.resolve(),
 *   close: () => Promise.resolve(),
 * };
 * ```
 *
 * @module
 */
export type { KnownParameters } from "./contracts/address.ts";
export { decodeAddressPart, readAddressParameters } from "./contracts/address.ts";
export type { BroadcastProvider, Signal, SignalScope, Unsubscribe } from "./contracts/broadcast.ts";
export { notify } from "./contracts/broadcast.ts";
export type { Clock } from "./contracts/clock.ts";
export { systemClock } from "./contracts/clock.ts";
export type { Checkable, HealthReport } from "./contracts/health.ts";
export { assertUsable } from "./contracts/health.ts";
export { inTime } from "./contracts/in_time.ts";
export type { LeaseRenewal, Leases } from "./contracts/leases.ts";
export type { LogTrimmer, Trim } from "./contracts/log_trimmer.ts";
export type { ArchivePart, ArchivePosition, LongTermStore } from "./contracts/long_term_store.ts";
export { isArchived, TOMBSTONE_MS } from "./contracts/long_term_store.ts";
export type {
  EngineObserver,
  ObservedArchiving,
  ObservedAttempt,
  ObservedCommit,
} from "./contracts/observer.ts";
export type {
  AdapterPlugin,
  AdapterRequest,
  AdapterRole,
  Adapters,
  OptionTypes,
} from "./contracts/plugin.ts";
export { ADAPTER_ROLES, readAdapterOptions } from "./contracts/plugin.ts";
export type {
  DueKind,
  DueTimes,
  EventDraft,
  EventKind,
  RevisionExpectation,
  SeriesFold,
  StoredEvent,
  TaskHead,
  TaskRecord,
  TaskRevision,
} from "./contracts/records.ts";
export { DUE_KINDS, MAX_SERIES_KINDS } from "./contracts/records.ts";
export type {
  Commit,
  CommitResult,
  DueWork,
  LiveExpectation,
  Refusal,
  ShortTermStore,
  Tombstone,
  VersionExpectation,
} from "./contracts/short_term_store.ts";
export type { NoteChange, TaskNotes } from "./contracts/task_notes.ts";
export type {
  FoldPage,
  FoldQuery,
  ListPage,
  ListQuery,
  LogPage,
  LogQuery,
  TaskReader,
} from "./contracts/task_reader.ts";
export type { EngineTracer, TracedWork, WorkSpan } from "./contracts/tracer.ts";
export type { GlobalWebhook, WebhookFailure } from "./contracts/webhooks.ts";
export type {
  ClaimedWork,
  ScheduledTask,
  Work,
  WorkQueue,
  WorkSchedule,
} from "./contracts/work_queue.ts";
export { WORK_KINDS } from "./contracts/work_queue.ts";
export type {
  KnownProducer,
  ProducerCheck,
  ProducerProgress,
  SeriesKind,
} from "./domain/commits/append.ts";
export { newSeriesKind } from "./domain/commits/append.ts";
export type { CommitState } from "./domain/commits/commit.ts";
export { checkCommit } from "./domain/commits/commit.ts";
export type { StoredDueTimes } from "./domain/commits/stored_due.ts";
export { storedDue } from "./domain/commits/stored_due.ts";
export { isDiverged } from "./domain/divergence.ts";
export { idOf, toTaskEvent } from "./domain/event_json.ts";
export { isLive } from "./domain/commits/expectation.ts";
export type { Filterable } from "./domain/filter.ts";
export { compileFilter, matchesEverything, matchesType } from "./domain/filter.ts";
export { escapeJsonText, unescapeJsonText } from "./domain/json_text.ts";
export { isAtRevision } from "./domain/revision.ts";
export { deltaOf, draftOfStored, withEventKind } from "./domain/series.ts";
export type { ListConditions, ListKey } from "./domain/task_list.ts";
export { compareNewestFirst, matchesListQuery } from "./domain/task_list.ts";
export { TaskTable } from "./memory/task_table.ts";
