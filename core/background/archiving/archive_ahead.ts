import type { ArchivePosition, LongTermStore } from "../../contracts/long_term_store.ts";
import type { TaskHead } from "../../contracts/records.ts";
import { isTerminal } from "../../protocol/status.ts";
import { revisionOf } from "./archive_batch.ts";
import type { EngineContext } from "../../context/context.ts";
import type { Refill } from "./refill.ts";

/**
 * Handles tasks of which the archive has more than the short-term store, because that was restored to an
 * earlier state.
 */
export class ArchiveAhead {
  /** Number of dropped hot copies that lacked the end of the task, which the archive has. */
  tasksOvertaken = 0;
  readonly #context: EngineContext;
  readonly #archive: LongTermStore;

  readonly #refill: Refill;

  constructor(context: EngineContext, archive: LongTermStore, refill: Refill) {
    this.#context = context;
    this.#archive = archive;
    this.#refill = refill;
  }

  /**
   * Drops a hot copy that is a prefix of the archive's copy. An ended task is then served from the archive,
   * and a live one is restored. If the two have different events, both are kept.
   *
   * @returns Whether the archive is ahead.
   */
  async resolveAhead(head: TaskHead, position: ArchivePosition): Promise<boolean> {
    const { record: { task: { id }, incarnation, version }, length } = head;
    if (position.deleted || (position.length <= length && position.version <= version)) {
      return false;
    }
    const { store } = this.#context;
    const at = length - 1;
    const [hot, cold] = await Promise.all([store.getTask(id, at), this.#archive.getTask(id, at)]);
    if (cold?.record.incarnation !== incarnation || cold.record.version < version) return false;
    const isBeginning = at < 0 || (hot?.entropy !== undefined && hot.entropy === cold.entropy);
    if (!isBeginning || cold.length < length) return false;
    if (!isTerminal(cold.record.task.status)) {
      await this.#refill.replace(head);
      return true;
    }
    // Only at exactly this revision, so that nothing published meanwhile is dropped.
    if (await store.deleteTask(id, revisionOf(head))) {
      this.tasksOvertaken++;
      this.#context.report(
        new Error(
          `The short-term store lost how the task "${id}" ended: it was restored to an earlier ` +
            "state; the task is served from the archive",
        ),
        { operation: "archive", taskId: id },
      );
    }
    return true;
  }
}
