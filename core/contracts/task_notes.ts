/** A change of a note, from one text to another; `undefined` is none. */
export interface NoteChange {
  /** What it must be now. */
  from: string | undefined;
  /** What it is to be. */
  to: string | undefined;
}

/**
 * Short texts, well-formed and without NUL (as JSON is), that belong to a life of a task and go with it, beside its record: where its webhooks
 * are. Writing them is no commit: it tells nobody and does not change the task's version.
 */
export interface TaskNotes {
  /** The notes of a task by name, or `undefined` if this life of it is not there. */
  readNotes(taskId: string, incarnation: string): Promise<Record<string, string> | undefined>;
  /**
   * Changes a note, if it is what is expected and this life of the task is there. Of many who change
   * it from the same text at the same time one succeeds.
   *
   * @returns Whether it was changed.
   */
  writeNote(
    taskId: string,
    incarnation: string,
    name: string,
    change: NoteChange,
  ): Promise<boolean>;
}
