import { isArchived } from "../../contracts/long_term_store.ts";
import type { TaskHead } from "../../contracts/records.ts";
import type { NamedRule } from "../../domain/retention/cleanup.ts";
import { dueRules } from "../../domain/retention/cleanup.ts";
import type { EngineContext } from "../../context/context.ts";
import { areDelivered } from "../webhooks/hook_state.ts";

/** Milliseconds for which undelivered webhooks delay the clean-up of a task. */
const UNDELIVERED_PATIENCE_MS = 86_400_000;

/**
 * Returns whether the archive and the webhooks have everything of an ended task. Before that nothing may be
 * deleted: an archive could not continue after a gap.
 *
 * @param due The rules to apply.
 */
export async function isReady(
  { store, archive, clock }: EngineContext,
  { record, length }: TaskHead,
  due: readonly NamedRule[],
): Promise<boolean> {
  const { task, incarnation, version, hooked: hasWebhooks } = record;
  if (archive !== undefined) {
    const [position] = await archive.positions([{ taskId: task.id, incarnation }]);
    if (!position!.deleted && !isArchived(position!, { version, length })) return false;
  }
  if (!hasWebhooks) return true;
  const notes = await store.readNotes(task.id, incarnation);
  const nowMs = clock.now();
  // A webhook whose deliveries have stopped must not keep the task forever.
  const isLate = dueRules(due, task, nowMs - UNDELIVERED_PATIENCE_MS).length > 0;
  return notes === undefined || isLate || areDelivered(notes, length, nowMs, 0);
}
