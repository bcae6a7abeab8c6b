import { isArchived } from "../../contracts/long_term_store.ts";
import type { TaskHead } from "../../contracts/records.ts";
import type { EngineContext } from "../../context/context.ts";
import { RELEASED_ID_MS } from "../../domain/fresh_id.ts";
import { isTerminal } from "../../protocol/status.ts";
import { areDelivered } from "../webhooks/hook_state.ts";
import type { ArchiveTask } from "./archive_batch.ts";
import { revisionOf } from "./archive_batch.ts";
import type { ArchiveWriter } from "./archive_writer.ts";

/** Milliseconds until a task with undelivered webhooks is checked again. */
const UNDELIVERED_MS = 60_000;

/** Removes hot copies of ended tasks, at exactly the revision that the archive has. */
export class Releaser {
  /** Number of hot copies removed. */
  tasksReleased = 0;
  readonly #context: EngineContext;
  readonly #writer: ArchiveWriter;
  readonly #expect: (atMs: number) => void;

  /** @param expect Schedules a round of the archiver. */
  constructor(context: EngineContext, writer: ArchiveWriter, expect: (atMs: number) => void) {
    this.#context = context;
    this.#writer = writer;
    this.#expect = expect;
  }

  /** Removes the hot copy of a claimed task, unless something of it still has to be archived or delivered. */
  async release({ head, position }: ArchiveTask): Promise<void> {
    const { store, clock } = this.#context;
    const { id, status } = head.record.task;
    if (position.deleted) return await this.#writer.finishDeletion(head);
    if (!isTerminal(status) || !isArchived(position, revisionOf(head))) {
      await store.schedule(id, "archive", clock.now());
      this.#expect(clock.now());
      return;
    }
    if (!await this.#hasDeliveredAll(head)) {
      await store.schedule(id, "release", clock.now() + UNDELIVERED_MS, head.record);
      return;
    }
    if (await this.#writer.readContinuation(head, position, 0) === undefined) return;
    // While the id is reserved, creating a task with it does not require asking the archive.
    const nowMs = clock.now();
    const closing = { nowMs, untilMs: nowMs + RELEASED_ID_MS };
    if (await store.deleteTask(id, revisionOf(head), closing)) this.tasksReleased++;
  }

  /** Returns whether the task's webhooks, if any, have everything. */
  async #hasDeliveredAll(
    { record: { task, incarnation, hooked: hasWebhooks }, length }: TaskHead,
  ): Promise<boolean> {
    if (!hasWebhooks) return true;
    const { store, clock } = this.#context;
    const notes = await store.readNotes(task.id, incarnation);
    return notes !== undefined && areDelivered(notes, length, clock.now());
  }
}
