/** A compare-and-set of a note; `undefined` means that there is no note. */
export interface NoteChange {
  /** The expected current text. */
  from: string | undefined;
  /** The new text. */
  to: string | undefined;
}

/**
 * Short texts stored with a task, outside its record, such as the positions of its webhooks. They are
 * well-formed Unicode without NUL, belong to one incarnation and are deleted with it. Writing a note
 * is not a commit: it wakes no readers and leaves the task's version unchanged.
 */
export interface TaskNotes {
  /** Returns the notes of a task by name, or `undefined` if this incarnation is absent. */
  readNotes(taskId: string, incarnation: string): Promise<Record<string, string> | undefined>;
  /**
   * Changes a note if its current text is the expected one and the incarnation is present. Exactly one
   * of several concurrent changes from the same text succeeds.
   *
   * @returns Whether the note was changed.
   */
  writeNote(
    taskId: string,
    incarnation: string,
    name: string,
    change: NoteChange,
  ): Promise<boolean>;
}
