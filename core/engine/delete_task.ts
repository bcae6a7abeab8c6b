import type { EngineContext } from "./context.ts";

/**
 * Deletes a life of a task everywhere, and tells its readers.
 *
 * @param incarnation The life. Without it the task is deleted whatever life it is in.
 * @returns Whether there was something.
 */
export async function deleteTask(
  { store, archive, reader, broadcast, report }: EngineContext,
  taskId: string,
  incarnation?: string,
): Promise<boolean> {
  let deleted: boolean;
  if (archive === undefined) {
    deleted = await store.deleteTask(
      taskId,
      incarnation === undefined ? undefined : { incarnation },
    );
  } else {
    // The archive first: should this instance die in between, whoever archives the task next finds
    // that it is deleted there, and finishes this. The id may live again by the time the second step
    // is taken, so that is about this life only.
    const life = incarnation ?? (await reader.getTask(taskId))?.record.incarnation;
    if (life === undefined) return false;
    deleted = await archive.deleteTask(taskId, life);
    deleted = await store.deleteTask(taskId, { incarnation: life }) || deleted;
  }
  if (!deleted) return false;
  try {
    await broadcast.publish({ taskId, from: 0, length: 0, ended: true });
  } catch (error) {
    // It is deleted: a wake-up that fails costs readers a poll, not the caller an error.
    report(error, { operation: "broadcast", taskId });
  }
  return true;
}
