import { append } from "./append.ts";
import { prefixOf, readText } from "./rows/blobs.ts";
import { Changes } from "./rows/changes.ts";
import type { Database } from "./connection/database.ts";
import { ChangedMeanwhile } from "./errors.ts";
import { setHead } from "./rows/record.ts";
import type { TaskState } from "./rows/task_state.ts";
import { loadFor } from "./rows/task_state.ts";
import type { PreparedDraft } from "./rows/values.ts";

// A commit that is too big for one atomic operation still takes effect in one: the operation that
// stores its drafts separately and records that in the head. From then on, nobody reads or changes
// the task before the drafts are in its log: the next reader or writer writes them out, or
// continues after a crash.

/** Drafts appended per operation, to begin with. */
const MAX_STEP = 256;

/**
 * Finishes a commit that any process started.
 *
 * @throws {ChangedMeanwhile} If another process does at the same time.
 */
export async function finishOversized(database: Database, state: TaskState): Promise<TaskState> {
  const wide = state.head?.wide;
  if (wide === undefined) return state;
  const { life: storageId } = state.head!;
  const drafts: PreparedDraft[] = JSON.parse(await readText(database, storageId, wide.drafts));
  let current = state;
  for (let next = wide.next, size = MAX_STEP; next < drafts.length;) {
    const step = drafts.slice(next, next + size);
    await loadFor(database, current, step);
    const after = current.fork();
    const changes = new Changes();
    for (const draft of step) append(database.keys, after, changes, draft, wide.nowMs);
    const isLast = next + step.length === drafts.length;
    if (isLast) {
      const { wide: _, ...head } = after.head!;
      after.head = head;
      changes.discard(database.keys, storageId, ...prefixOf(wide.drafts));
    } else after.head = { ...after.head!, wide: { ...wide, next: next + step.length } };
    setHead(database.keys, after, changes);
    if (!changes.fits() && step.length > 1) {
      size = Math.ceil(step.length / 2);
      continue;
    }
    await write(database, after, changes);
    current = after;
    next += step.length;
  }
  return current;
}

async function write({ kv, keys }: Database, state: TaskState, changes: Changes): Promise<void> {
  const { taskId, versionstamp } = state;
  const atomic = kv.atomic().check({ key: keys.head(taskId), versionstamp });
  const outcome = await changes.write(atomic).commit();
  if (!outcome.ok) throw new ChangedMeanwhile();
  state.versionstamp = outcome.versionstamp!;
}
