import type { Commit } from "@taskcast/core/adapter";
import { isLive } from "@taskcast/core/adapter";
import { isTerminal } from "@taskcast/core/protocol";
import type { Changes } from "./rows/changes.ts";
import type { CommitPlan } from "./commit.ts";
import { beginOversized, planCommit } from "./commit.ts";
import type { Database } from "./connection/database.ts";
import { listAll } from "./connection/database.ts";
import { ChangedMeanwhile } from "./errors.ts";
import { WAKE_MS } from "./limits.ts";
import type { TaskWork } from "./task_queue.ts";
import type { TaskState } from "./rows/task_state.ts";
import { loadFor } from "./rows/task_state.ts";
import type { ClosedId, ProducerValue, RunValue, WakeValue } from "./rows/values.ts";

/** A commit in the queue of its task. */
export class CommitWork implements TaskWork<CommitPlan> {
  readonly #database: Database;
  readonly #commit: Commit;
  readonly #wakes: boolean;
  /** Set if the id is closed. */
  #isClosed = false;
  #sent = new Map<string, number>();

  constructor(database: Database, commit: Commit, { wakes }: { wakes: boolean }) {
    this.#database = database;
    this.#commit = commit;
    this.#wakes = wakes;
  }

  readsStored({ producers }: TaskState): boolean {
    return this.#commit.events.some(({ producer }) =>
      producer !== undefined && isOfOldRun(producers.get(producer.id), producer)
    );
  }

  async load(state: TaskState): Promise<void> {
    const { taskId, expect, events, nowMs } = this.#commit;
    if (expect === "absent") {
      const { kv, keys } = this.#database;
      const closed = (await kv.get(keys.closedId(taskId))).value as ClosedId | null;
      this.#isClosed = closed !== null && closed.untilMs > nowMs;
      return;
    }
    await loadFor(this.#database, state, events);
    this.#sent = new Map();
    const { keys, kv } = this.#database;
    for (const { producer } of isLive(expect) ? events : []) {
      if (producer === undefined) continue;
      const { id, epoch, seq } = producer;
      if (!isOfOldRun(state.producers.get(id), producer)) continue;
      const start = keys.run(state.head!.life, id, epoch, 0);
      const end = keys.run(state.head!.life, id, epoch, seq + 1);
      const options = { reverse: true, limit: 1, batchSize: 1 };
      const [run] = await listAll(kv, { start, end }, options);
      if (run === undefined) throw new ChangedMeanwhile();
      const first = run.key.at(-1) as number;
      this.#sent.set(`${seq} ${id}`, (run.value as RunValue).index + seq - first);
    }
  }

  plan(state: TaskState, changes: Changes): CommitPlan {
    const plan = planCommit(
      this.#database.keys,
      state,
      changes,
      this.#commit,
      { indexOf: (id, seq) => this.#sent.get(`${seq} ${id}`)!, isClosed: this.#isClosed },
    );
    if (plan.ok) this.#wake(state, changes, plan);
    return plan;
  }

  planWide(state: TaskState, changes: Changes, plan: CommitPlan): void {
    if (!plan.ok) return;
    beginOversized(this.#database.keys, state, changes, this.#commit, plan.fresh);
    this.#wake(state, changes, plan);
  }

  #wake(
    { head, taskId }: TaskState,
    changes: Changes,
    { from, length }: Extract<CommitPlan, { ok: true }>,
  ): void {
    if (!this.#wakes || from === length) return;
    const wake: WakeValue = { from, length };
    if (isTerminal(head!.status)) wake.ended = true;
    changes.set(this.#database.keys.wake(taskId), wake, WAKE_MS);
  }
}

/** Returns whether a draft repeats a number before those that the producer's row has. */
function isOfOldRun(
  known: ProducerValue | undefined,
  { epoch, seq }: { epoch: number; seq: number },
): boolean {
  return known !== undefined && known.epoch === epoch && seq < known.run.seq;
}
