import type { TaskRecord } from "../contracts/records.ts";
import type { WebhookOptions } from "../contracts/webhooks.ts";
import { Archiver } from "../background/archiving/archiver.ts";
import { Cleaner } from "../background/cleanup/cleaner.ts";
import type { DoDueWork } from "../background/deadlines.ts";
import { Deadlines } from "../background/deadlines.ts";
import type { SetAside, SetAsideReport } from "../background/set_aside.ts";
import { assertWebhookOptions } from "../background/webhooks/accept.ts";
import { Deliverer } from "../background/webhooks/deliverer.ts";
import type { EngineContext } from "../context/context.ts";
import { dueTimes } from "../domain/transitions/transition.ts";
import { assertCount, assertOptions } from "../domain/validate/query.ts";
import { BOUNDS } from "../protocol/limits.ts";
import type { HookCaller } from "./hook_caller.ts";
import type { EngineStats } from "./options.ts";

/** The statistics of background jobs. */
type JobStats = Pick<
  EngineStats,
  | keyof Archiver["counts"]
  | keyof Cleaner["counts"]
  | "archiveLagMs"
  | "webhooksDelivered"
  | "webhookAttemptsFailed"
  | "webhooksGivenUp"
  | "webhooksUnderWay"
  | "dueLagMs"
>;

/** The jobs of one engine that run beside its calls: deadlines, archiving, webhooks and clean-up. */
export class BackgroundJobs {
  readonly deadlines: Deadlines;
  readonly cleaner: Cleaner;
  /** Set if the engine has an archive. */
  readonly archiver?: Archiver;
  /** Set if the engine sends webhooks. */
  readonly deliverer?: Deliverer;
  readonly #context: EngineContext;

  /** @param onDue Does due work; must be harmless if another instance has done it already. */
  constructor(
    context: EngineContext,
    hooks: HookCaller,
    { webhooks, onDue }: {
      webhooks?: WebhookOptions;
      onDue: DoDueWork;
    },
  ) {
    this.#context = context;
    this.deadlines = new Deadlines(context, onDue);
    const cleaner = this.cleaner = new Cleaner(context);
    const { archive } = context;
    if (archive !== undefined) {
      this.archiver = new Archiver(context, archive, {
        onScheduled: (atMs) => cleaner.expect(atMs),
        onRefilled: (record) => this.#expectWorkOf(record),
      });
    }
    if (webhooks !== undefined) {
      assertWebhookOptions(webhooks);
      this.deliverer = new Deliverer(
        context,
        webhooks,
        (task, failure) => hooks.webhookFailed(task, failure),
      );
    }
  }

  /** Starts all jobs. Each begins with what an earlier process left. */
  start(): void {
    this.deadlines.start();
    this.archiver?.start();
    this.deliverer?.start();
    this.cleaner.start();
  }

  /** Does all work that is due now. */
  async sweep(): Promise<void> {
    await this.deadlines.sweep();
    await this.archiver?.run();
    await this.deliverer?.run();
    await this.cleaner.run();
  }

  /** Stops all jobs. Resolves once the work in progress has ended. Safe to call twice. */
  async close(): Promise<void> {
    const jobs = [this.deadlines, this.archiver, this.deliverer, this.cleaner];
    await Promise.all(jobs.map((job) => job?.close()));
  }

  /** Counters and lags of the jobs. */
  get stats(): JobStats {
    const { counts, lagMs } = this.archiver ?? NO_ARCHIVER;
    const { delivered, attemptsFailed, givenUp, underWay } = this.deliverer?.counts ?? NO_WEBHOOKS;
    return {
      ...counts,
      ...this.cleaner.counts,
      archiveLagMs: lagMs,
      webhooksDelivered: delivered,
      webhookAttemptsFailed: attemptsFailed,
      webhooksGivenUp: givenUp,
      webhooksUnderWay: underWay,
      dueLagMs: this.deadlines.lagMs,
    };
  }

  /** Returns the tasks that are set aside, at most `limit` for each queue. */
  setAside(options: { limit?: number }): SetAsideReport {
    assertOptions(options);
    const { limit = 20 } = options;
    assertCount(limit, "limit", 0, Number.MAX_SAFE_INTEGER);
    const report = (set: SetAside) => ({ count: set.size, tasks: set.list(limit) });
    return {
      due: report(this.deadlines.setAside),
      cleanup: report(this.cleaner.setAside),
      ...(this.archiver && {
        archive: report(this.archiver.setAside.archive),
        release: report(this.archiver.setAside.release),
      }),
      ...(this.deliverer && { webhooks: report(this.deliverer.setAside) }),
    };
  }

  /** Counts the tasks that wait for the archive, up to `limit`; `undefined` without an archive. */
  async archiveBacklog(options: { limit?: number }): Promise<number | undefined> {
    assertOptions(options);
    const { limit = 500 } = options;
    assertCount(limit, "limit", 1, BOUNDS.listPage);
    if (this.archiver === undefined) return undefined;
    return (await this.#context.store.scheduled("archive", { limit })).length;
  }

  /** Schedules the work of a task that was restored to the short-term store. */
  #expectWorkOf(record: TaskRecord): void {
    const { deadline, wake } = dueTimes(record);
    if (record.leaseMs !== undefined) {
      this.deadlines.expect(this.#context.clock.now() + record.leaseMs);
    }
    if (deadline !== undefined) this.deadlines.expect(deadline);
    if (wake !== undefined) this.deadlines.expect(wake);
    if (record.hooked) this.deliverer?.expect(this.#context.clock.now());
  }
}

const NO_ARCHIVER = {
  counts: {
    eventsArchived: 0,
    tasksReleased: 0,
    tasksDisplaced: 0,
    tasksOvertaken: 0,
    tasksRefilled: 0,
  },
  lagMs: 0,
};

const NO_WEBHOOKS = { delivered: 0, attemptsFailed: 0, givenUp: 0, underWay: 0 };
