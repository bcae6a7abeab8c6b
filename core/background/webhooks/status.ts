import type { TaskRecord } from "../../contracts/records.ts";
import { TaskcastError } from "../../protocol/errors.ts";
import type { WebhookStatus } from "../../protocol/webhook.ts";
import { isPendingDeletion } from "../../domain/retention/pending_deletion.ts";
import type { EngineContext } from "../../context/context.ts";
import { taskNotFound, taskReplaced } from "../../context/refusals.ts";
import type { Deliverer } from "./deliverer.ts";
import { noteOf, parseState, retried, stateText } from "./hook_state.ts";
import { shownUrl } from "./hooks_of.ts";

interface Found {
  record: TaskRecord;
  notes: Readonly<Record<string, string>>;
}

/** Returns the delivery state of a task's webhooks. */
export async function webhookStatuses(
  context: EngineContext,
  deliverer: Deliverer | undefined,
  taskId: string,
  meant?: string,
): Promise<WebhookStatus[]> {
  const { record, notes } = await find(context, taskId, meant);
  return (deliverer?.hooksOf(record.task) ?? []).map(({ name, url }) => {
    const { next, attempts = 0, atMs, error, failed = [] } = parseState(notes[noteOf(name)]);
    return {
      hook: name,
      url: shownUrl(url),
      nextIndex: next,
      attempts,
      ...(atMs !== undefined && { nextAttemptAt: atMs }),
      ...(error !== undefined && { error }),
      failed,
    };
  });
}

/** Schedules a retry of a webhook's failed deliveries. Returns their number. */
export async function retryWebhook(
  context: EngineContext,
  deliverer: Deliverer | undefined,
  taskId: string,
  hook: string,
  meant?: string,
): Promise<number> {
  const { store, clock } = context;
  for (;;) {
    const { record: { task, incarnation }, notes } = await find(context, taskId, meant);
    meant = incarnation;
    const hooks = deliverer?.hooksOf(task) ?? [];
    if (!hooks.some(({ name }) => name === hook)) {
      throw new TaskcastError("WEBHOOK_NOT_FOUND", `Task "${taskId}" has no webhook "${hook}"`, {
        details: { taskId, hook },
      });
    }
    const from = notes[noteOf(hook)];
    const state = parseState(from);
    const count = (state.failed ?? []).reduce((sum, { count }) => sum + count, 0);
    if (count === 0) return 0;
    const change = { from, to: stateText(retried(state)) };
    // A delivery wrote the note first, so read it again.
    if (!await store.writeNote(taskId, incarnation, noteOf(hook), change)) continue;
    const others = hooks.filter(({ name }) => name !== hook);
    if (others.every(({ name }) => parseState(notes[noteOf(name)]).failed === undefined)) {
      await store.schedule(taskId, "undelivered", undefined, { incarnation });
    }
    const nowMs = clock.now();
    await store.schedule(taskId, "deliver", nowMs, { incarnation });
    deliverer?.expect(nowMs);
    return count;
  }
}

async function find(
  { store }: EngineContext,
  taskId: string,
  meant: string | undefined,
): Promise<Found> {
  // Deliveries read only the short-term store, which keeps a task until they are done.
  const head = await store.getTask(taskId);
  if (head !== undefined && meant !== undefined && head.record.incarnation !== meant) {
    throw taskReplaced(taskId);
  }
  const notes = head && await store.readNotes(taskId, head.record.incarnation);
  if (head === undefined || notes === undefined || isPendingDeletion(head.record.incarnation)) {
    throw taskNotFound(taskId);
  }
  return { record: head.record, notes };
}
