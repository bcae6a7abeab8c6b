import { TaskcastError } from "@taskcast/core/protocol";
import { untilSettled } from "./connection/attempts.ts";
import { claimStaged, stage } from "./rows/blobs.ts";
import { Changes, newName } from "./rows/changes.ts";
import type { Database } from "./connection/database.ts";
import { ChangedMeanwhile, unavailable } from "./errors.ts";
import type { TaskState } from "./rows/task_state.ts";
import { loadState } from "./rows/task_state.ts";
import { RememberedStates } from "./state_cache.ts";
import type { Head } from "./rows/values.ts";
import { finishWide } from "./oversized_commit.ts";

/** A change of one task, or a look at it that changes nothing. */
export interface TaskWork<T> {
  /** Must be the first in an operation, since it reads what others of the same turn may change. */
  readsStored?(state: TaskState): boolean;
  /** Reads what is needed. Called again when somebody came in between. */
  load?(state: TaskState): Promise<void>;
  /** Works it out on a copy of the state. Changes neither it nor anything else when it refuses. */
  plan(state: TaskState, changes: Changes): T;
  /** The same for what is too big for one operation: begins it, and leaves the rest to be finished. */
  planWide?(state: TaskState, changes: Changes, planned: T): void;
  /** Outcome, without a change, if it is too big and there is no `planWide`. */
  readonly tooBig?: T;
  /** Nothing comes behind it in the same operation. */
  readonly endsTurn?: boolean;
}

interface Waiting {
  work: TaskWork<unknown>;
  resolve: (outcome: unknown) => void;
  reject: (error: unknown) => void;
}

/** Changes that share an atomic operation, at most. */
const MAX_COMBINED = 100;

/** Processes whose last operation on a task is known. */
const MAX_WRITERS = 8;

/**
 * Carries out changes of tasks: those of one task one after another, as many in one operation as
 * fit. So producers in one process do not get in each other's way, and the version of the head
 * tells of those in others.
 */
export class TaskQueue {
  readonly #database: Database;
  readonly #maxPending: number;
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #states = new RememberedStates();
  /** Names this process, and numbers what it writes. */
  readonly #writer = newName();
  #operations = 0;
  #pending = 0;

  constructor(database: Database, { maxPending }: { maxPending: number }) {
    this.#database = database;
    this.#maxPending = maxPending;
  }

  /**
   * Does something to a task and gives what was planned, once that is stored.
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
    await Promise.resolve(); // What is asked for in the same turn goes together.
    let limit = MAX_COMBINED;
    while (queue.length > 0) {
      const taken = queue.slice(0, limit);
      try {
        const outcomes = await untilSettled(() => this.#turn(taskId, taken));
        for (const [at, outcome] of outcomes.entries()) taken[at]!.resolve(outcome);
        queue.splice(0, outcomes.length);
        limit = MAX_COMBINED;
      } catch (error) {
        if (taken.length > 1 && error instanceof TaskcastError && error.code === "INTERNAL") {
          limit = 1; // One of them can never be stored; the others are not to suffer for it.
          continue;
        }
        for (const { reject } of taken) reject(error);
        queue.splice(0, taken.length);
      }
    }
    this.#waiting.delete(taskId);
  }

  /** Carries out as much as one operation takes, and gives what came of each. */
  async #turn(taskId: string, taken: readonly Waiting[]): Promise<unknown[]> {
    const known = this.#states.take(taskId) ?? await loadState(this.#database, taskId);
    let state = await finishWide(this.#database, known);
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
    // From here on it is done, whoever writes it out.
    await untilSettled(async () => {
      await finishWide(this.#database, await loadState(this.#database, state.taskId));
    });
    return planned;
  }

  /**
   * Writes the changes if the task is as it was, and looks whether it is if there are none. Tells
   * whether it is known to be as the state says after that.
   *
   * A client of a database over a network sends an operation again when its connection breaks. If
   * the first was carried out, the second fails by its own check, so what is refused is looked up.
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
