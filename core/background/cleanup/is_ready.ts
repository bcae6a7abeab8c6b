import { isArchived } from "../../contracts/long_term_store.ts";
import type { TaskHead } from "../../contracts/records.ts";
import type { NamedRule } from "../../domain/retention/cleanup.ts";
import { dueRules } from "../../domain/retention/cleanup.ts";
import type { EngineContext } from "../../context/context.ts";
import { areTold } from "../webhooks/hook_state.ts";

/** For so long webhooks that do not have everything yet keep a task from being cleaned. */
const UNTOLD_PATIENCE_MS = 86_400_000;

/**
 * Whether the archive and the webhooks have everything of an ended task, so that nothing of it is
 * still needed. An archive could never go on behind a hole.
 *
 * @param due The rules that are to be carried out.
 */
export async function isReady(
  { store, archive, clock }: EngineContext,
  { record, length }: TaskHead,
  due: readonly NamedRule[],
): Promise<boolean> {
  const { task, incarnation, version, hooked } = record;
  if (archive !== undefined) {
    const [position] = await archive.positions([{ taskId: task.id, incarnation }]);
    if (!position!.deleted && !isArchived(position!, { version, length })) return false;
  }
  if (!hooked) return true;
  const notes = await store.readNotes(task.id, incarnation);
  const nowMs = clock.now();
  // Whoever stopped sending webhooks must not keep everything for ever.
  const isLate = dueRules(due, task, nowMs - UNTOLD_PATIENCE_MS).length > 0;
  return notes === undefined || isLate || areTold(notes, length, nowMs, 0);
}
