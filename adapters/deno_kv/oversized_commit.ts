import { append } from "./append.ts";
import { prefixOf, readText } from "./rows/blobs.ts";
import { Changes } from "./rows/changes.ts";
import type { Database } from "./connection/database.ts";
import { ChangedMeanwhile } from "./errors.ts";
import { setHead } from "./rows/record.ts";
import type { TaskState } from "./rows/task_state.ts";
import { loadFor } from "./rows/task_state.ts";
import type { PreparedDraft } from "./rows/values.ts";

// A commit that is too big for one atomic operation is made by one all the same: that which puts its
// drafts aside and has the head say so. From then on nobody reads the task or writes to it before the
// drafts are in its log: whoever comes first writes them out, or on from where somebody died.

/** Drafts that are appended in one operation, to begin with. */
const MAX_STEP = 256;

/**
 * Writes out a commit that somebody began.
 *
 * @throws {ChangedMeanwhile} If somebody else does at the same time.
 */
export async function finishWide(database: Database, state: TaskState): Promise<TaskState> {
  const wide = state.head?.wide;
  if (wide === undefined) return state;
  const { life } = state.head!;
  const drafts: PreparedDraft[] = JSON.parse(await readText(database, life, wide.drafts));
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
      changes.discard(database.keys, life, ...prefixOf(wide.drafts));
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
