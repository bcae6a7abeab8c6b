import type { LongTermStore } from "../../contracts/long_term_store.ts";
import { TaskcastError } from "../../protocol/errors.ts";
import type { EngineContext } from "../../context/context.ts";
import type { Outcome } from "../each_alone.ts";
import { areUsable, each, inHalves } from "../each_alone.ts";
import { SetAside } from "../set_aside.ts";

/** A queue of the archiver. */
export type ArchiveQueue = "archive" | "release";

/** A task that the archiver works on. */
export interface Claimed {
  taskId: string;
  /** Set once the task has been read. */
  incarnation?: string;
}

/** Thrown if a task cannot be archived. */
export class CannotArchive extends TaskcastError {
  constructor(taskId: string, why: string) {
    super("INTERNAL", `Cannot archive the task "${taskId}": ${why}`);
  }
}

/**
 * Isolates failures of single tasks. As long as the stores work, a failing task is set aside and its time is
 * moved to the time of the next attempt, so that it does not delay others.
 */
export class ArchiveFaults {
  readonly archive: SetAside;
  readonly release: SetAside;
  readonly #context: EngineContext;
  readonly #archive: LongTermStore;
  readonly #expect: (atMs: number) => void;

  /** @param expect Called with the time at which a task is retried. */
  constructor(context: EngineContext, archive: LongTermStore, expect: (atMs: number) => void) {
    this.#context = context;
    this.#archive = archive;
    this.#expect = expect;
    this.archive = new SetAside(context, "archive");
    this.release = new SetAside(context, "release");
  }

  /** Runs a function for each item, and returns the results of those that did not fail. */
  async runEach<Item, T>(
    queue: ArchiveQueue,
    items: readonly Item[],
    claimedOf: (item: Item) => Claimed,
    run: (item: Item) => Promise<T>,
  ): Promise<T[]> {
    return await this.#setAsideFailures(queue, items, claimedOf, await each(items, run));
  }

  /** Runs a function for all items at once, or in smaller groups to isolate those that fail. */
  async runTogether<Item, T>(
    queue: ArchiveQueue,
    items: readonly Item[],
    claimedOf: (item: Item) => Claimed,
    run: (items: readonly Item[]) => Promise<readonly T[]>,
  ): Promise<{ item: Item; value: T }[]> {
    const outcomes = await inHalves(items, run, () => this.#areUsable());
    const paired = outcomes.map((outcome, i): Outcome<{ item: Item; value: T }> =>
      outcome.ok ? { ok: true, value: { item: items[i]!, value: outcome.value } } : outcome
    );
    return await this.#setAsideFailures(queue, items, claimedOf, paired);
  }

  /** Sets a task aside, and postpones it. */
  async setAside(
    queue: ArchiveQueue,
    { taskId, incarnation }: Claimed,
    error: unknown,
  ): Promise<void> {
    const retryAtMs = this[queue].failed(taskId, error);
    await this.postpone(queue, { taskId, incarnation }, retryAtMs);
    this.#expect(retryAtMs);
  }

  /** Moves the time of a task. If this fails, its lease expires instead. */
  async postpone(
    queue: ArchiveQueue,
    { taskId, incarnation }: Claimed,
    untilMs: number,
  ): Promise<void> {
    const { store } = this.#context;
    try {
      if (queue === "archive") await store.schedule(taskId, "archive", untilMs);
      else if (incarnation !== undefined) {
        await store.schedule(taskId, "release", untilMs, { incarnation });
      }
    } catch {
      // The next use of the store reports its failure.
    }
  }

  async #setAsideFailures<Item, T>(
    queue: ArchiveQueue,
    items: readonly Item[],
    claimedOf: (item: Item) => Claimed,
    outcomes: readonly Outcome<T>[],
  ): Promise<T[]> {
    const failures = outcomes.flatMap((outcome, i) =>
      outcome.ok ? [] : [{ claimed: claimedOf(items[i]!), error: outcome.error }]
    );
    if (failures.length > 0 && failures.length === items.length && !await this.#areUsable()) {
      throw failures[0]!.error;
    }
    for (const { claimed, error } of failures) await this.setAside(queue, claimed, error);
    return outcomes.flatMap((outcome) => outcome.ok ? [outcome.value] : []);
  }

  #areUsable(): Promise<boolean> {
    return areUsable(this.#context.clock, this.#archive, this.#context.store);
  }
}
