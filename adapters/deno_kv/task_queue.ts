import { TaskcastError } from "@taskcast/core/protocol";
import { retryUntilUnchanged } from "./connection/attempts.ts";
import { claimStaged, stage } from "./rows/blobs.ts";
import { Changes, newName } from "./rows/changes.ts";
import type { Database } from "./connection/database.ts";
import { ChangedMeanwhile, unavailable } from "./errors.ts";
import type { TaskState } from "./rows/task_state.ts";
import { loadState } from "./rows/task_state.ts";
import { StateCache } from "./state_cache.ts";
import type { Head } from "./rows/values.ts";
import { finishOversized } from "./oversized_commit.ts";

/** A change of one task, or a check that changes nothing. */
export interface TaskWork<T> {
  /**
   * Returns whether it must come first in an operation, because it reads what others of the turn
   * may change.
   */
  readsStored?(state: TaskState): boolean;
  /** Reads the needed data. Called again after concurrent changes. */
  load?(state: TaskState): Promise<void>;
  /** Plans the change on a copy of the state. Changes nothing when it refuses. */
  plan(state: TaskState, changes: Changes): T;
  /**
   * Plans a change that is too big for one operation: starts it, and leaves the rest to be
   * finished.
   */
  planWide?(state: TaskState, changes: Changes, planned: T): void;
  /** Outcome, without a change, if it is too big and there is no `planWide`. */
  readonly tooBig?: T;
  /** Set if nothing may follow in the same operation. */
  readonly endsTurn?: boolean;
}

interface Waiting {
  work: TaskWork<unknown>;
  resolve: (outcome: unknown) => void;
  reject: (error: unknown) => void;
}

/** Maximum number of changes that share an atomic operation. */
const MAX_COMBINED = 100;

/** Maximum number of writers recorded per task. */
const MAX_WRITERS = 8;

/**
 * Runs changes of tasks: those of one task in order, as many per operation as fit. So producers in
 * one process do not conflict, and the version of the head reveals changes by other processes.
 */
export class TaskQueue {
  readonly #database: Database;
  readonly #maxPending: number;
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #states = new StateCache();
  /** Name of this process for its numbered operations. */
  readonly #writer = newName();
  #operations = 0;
  #pending = 0;

  constructor(database: Database, { maxPending }: { maxPending: number }) {
    this.#database = database;
    this.#maxPending = maxPending;
  }

  /**
   * Runs work on a task and returns its result once it is stored.
   *
   * @throws {TaskcastError} `STORE_UNAVAILABLE`.
   */
  async run<T>(taskId: string, work: TaskWork<T>): Promise<T> {
    if (this.#pending >= this.#maxPending) {
      throw unavailable(`${this.#maxPending} changes are already waiting for it`);
    }
    this.#pending++;
    try {
      return await new Promise<T>((resolve, reject) => {
        const waiting = this.#waiting.get(taskId);
        const entry = { work, resolve, reject } as Waiting;
        if (waiting !== undefined) waiting.push(entry);
        else {
          const queue = [entry];
          this.#waiting.set(taskId, queue);
          void this.#drain(taskId, queue);
        }
      });
    } finally {
      this.#pending--;
    }
  }

  async #drain(taskId: string, queue: Waiting[]): Promise<void> {
    await Promise.resolve(); // Work of this turn goes together.
    let limit = MAX_COMBINED;
    while (queue.length > 0) {
      const taken = queue.slice(0, limit);
      try {
        const outcomes = await retryUntilUnchanged(() => this.#turn(taskId, taken));
        for (const [at, outcome] of outcomes.entries()) taken[at]!.resolve(outcome);
        queue.splice(0, outcomes.length);
        limit = MAX_COMBINED;
      } catch (error) {
        if (taken.length > 1 && error instanceof TaskcastError && error.code === "INTERNAL") {
          limit = 1; // One of them can never be stored, which must not affect the others.
          continue;
        }
        for (const { reject } of taken) reject(error);
        queue.splice(0, taken.length);
      }
    }
    this.#waiting.delete(taskId);
  }

  /** Runs as much work as one operation holds, and returns the results. */
  async #turn(taskId: string, taken: readonly Waiting[]): Promise<unknown[]> {
    const known = this.#states.take(taskId) ?? await loadState(this.#database, taskId);
    let state = await finishOversized(this.#database, known);
    const all = new Changes();
    const outcomes: unknown[] = [];
    for (const { work } of taken) {
      if (outcomes.length > 0 && work.readsStored?.(state)) break;
      await work.load?.(state);
      const next = state.fork();
      const changes = new Changes();
      const outcome = work.plan(next, changes);
      if (!all.fits(changes)) {
        if (outcomes.length > 0) break;
        if (work.planWide === undefined) return [work.tooBig];
        return [await this.#runWide(state, work, outcome)];
      }
      all.add(changes);
      state = next;
      outcomes.push(outcome);
      if (work.endsTurn) break;
    }
    if (await this.#write(state, all)) this.#states.keep(state);
    return outcomes;
  }

  async #runWide<T>(state: TaskState, work: TaskWork<T>, planned: T): Promise<T> {
    const changes = new Changes();
    const next = state.fork();
    work.planWide!(next, changes, planned);
    await this.#write(next, changes);
    // The commit has taken effect, no matter which instance writes it out.
    await retryUntilUnchanged(async () => {
      await finishOversized(this.#database, await loadState(this.#database, state.taskId));
    });
    return planned;
  }

  /**
   * Writes the changes if the task is unchanged; without changes, checks that it is. Returns
   * whether the task is then known to have this state.
   *
   * A client of a remote database resends an operation when its connection breaks. If the first
   * request was applied, the second fails by its own check, so refused operations are looked up.
   */
  async #write(state: TaskState, changes: Changes): Promise<boolean> {
    const { kv, keys } = this.#database;
    const { taskId, versionstamp } = state;
    if (changes.isEmpty) {
      if ((await kv.get(keys.head(taskId))).versionstamp !== versionstamp) {
        throw new ChangedMeanwhile();
      }
      return true;
    }
    const operation = ++this.#operations;
    if (state.head !== undefined) {
      const others = (state.head.writers ?? []).filter(([writer]) => writer !== this.#writer);
      const writers = [...others, [this.#writer, operation] as const].slice(-MAX_WRITERS);
      state.head = { ...state.head, writers };
      changes.set(keys.head(taskId), state.head);
    }
    const staged = await stage(this.#database, state.head?.life ?? "", changes);
    const atomic = kv.atomic().check({ key: keys.head(taskId), versionstamp });
    const outcome = await claimStaged(changes.write(atomic), staged).commit();
    if (outcome.ok) {
      state.versionstamp = state.head === undefined ? null : outcome.versionstamp!;
      return true;
    }
    const now = (await kv.get(keys.head(taskId))).value as Head | null;
    const isMine = now?.writers?.some(([writer, last]) =>
      writer === this.#writer && last === operation
    );
    if (!isMine) throw new ChangedMeanwhile();
    return false;
  }
}
