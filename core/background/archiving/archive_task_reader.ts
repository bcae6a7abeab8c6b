import type { ArchivePosition, LongTermStore } from "../../contracts/long_term_store.ts";
import type { TaskHead } from "../../contracts/records.ts";
import { displaced } from "../../domain/retention/displaced.ts";
import { isPendingDeletion } from "../../domain/retention/pending_deletion.ts";
import { isRefilling } from "../../domain/retention/refilling.ts";
import type { ArchiveFaults, ArchiveQueue, Claimed } from "./archive_faults.ts";
import type { ArchiveTask } from "./archive_batch.ts";
import type { EngineContext } from "../../context/context.ts";
import { finishDeletion } from "../delete_task.ts";
import type { Refill } from "./refill.ts";

/**
 * Reads claimed tasks and the archive's position in each. It also finishes pending deletions and unfinished
 * restorations, and displaces an archived task whose id a newer task has.
 */
export class ArchiveTaskReader {
  /** Number of archived tasks that were moved to another id. */
  tasksDisplaced = 0;
  readonly #context: EngineContext;
  readonly #archive: LongTermStore;
  readonly #faults: ArchiveFaults;
  readonly #refill: Refill;

  constructor(
    context: EngineContext,
    archive: LongTermStore,
    { faults, refill }: { faults: ArchiveFaults; refill: Refill },
  ) {
    this.#context = context;
    this.#archive = archive;
    this.#faults = faults;
    this.#refill = refill;
  }

  /** Returns the claimed tasks that exist and are complete. */
  async read(queue: ArchiveQueue, taskIds: readonly string[]): Promise<ArchiveTask[]> {
    const { store } = this.#context;
    const read = await this.#faults.runEach(
      queue,
      taskIds,
      (taskId) => ({ taskId }),
      (taskId) => store.getTask(taskId),
    );
    const heads = read.filter((head) => head !== undefined);
    const isDeleted = ({ record }: TaskHead) => isPendingDeletion(record.incarnation);
    await this.#faults.runEach(queue, heads.filter(isDeleted), claimedOf, async ({ record }) => {
      await finishDeletion(this.#context, this.#archive, record);
      this.#faults[queue].succeeded(record.task.id);
    });
    const isStandIn = ({ record }: TaskHead) => isRefilling(record.incarnation);
    await this.#faults.runEach(queue, heads.filter(isStandIn), claimedOf, async ({ record }) => {
      await this.#refill.run(record.task.id);
      this.#faults[queue].succeeded(record.task.id);
    });
    const found = await this.#faults.runTogether(
      queue,
      heads.filter((head) => !isDeleted(head) && !isStandIn(head)),
      claimedOf,
      (some) => this.#positionsOf(some),
    );
    return await this.#faults.runEach(
      queue,
      found,
      ({ item }) => claimedOf(item),
      async ({ item: head, value: position }) => ({
        head,
        position: await this.#withRoom(head, position),
      }),
    );
  }

  #positionsOf(heads: readonly TaskHead[]): Promise<ArchivePosition[]> {
    return this.#archive.positions(heads.map(({ record }) => ({
      taskId: record.task.id,
      incarnation: record.incarnation,
    })));
  }

  /**
   * Moves another task with the same id in the archive to an id of its own. That task was not deleted, so it
   * must not be lost. The hot task is newer, or was created while the archive could not be asked.
   */
  async #withRoom({ record }: TaskHead, position: ArchivePosition): Promise<ArchivePosition> {
    const other = position.deleted ? undefined : position.other;
    if (other === undefined) return position;
    const { task: { id, createdAt }, unconfirmed } = record;
    if (!unconfirmed && other.createdAt > createdAt) return position;
    const older = (await this.#archive.getTask(id))?.record;
    if (older === undefined || older.incarnation !== other.incarnation) return position;
    if (await this.#archive.moveTask(id, other.incarnation, displaced(older))) {
      this.tasksDisplaced++;
      this.#context.report(
        new Error(
          `Two tasks have had the id "${id}". Both are kept, and the newer is served; the other one ` +
            `can be exported as its incarnation "${other.incarnation}"`,
        ),
        { operation: "archive", taskId: id },
      );
    }
    return { version: 0, length: 0 };
  }
}

/** Returns the identity under which a task is set aside. */
export function claimedOf({ record: { task: { id }, incarnation } }: TaskHead): Claimed {
  return { taskId: id, incarnation };
}
