/** Counts failures instead of ending the run, and reports the first. */
export class ErrorCount {
  count = 0;
  readonly #say: (error: unknown) => void;

  constructor(say: (error: unknown) => void = console.error) {
    this.#say = say;
  }

  /** Awaits work; returns `undefined` and counts if it fails. */
  async watch<T>(work: Promise<T>): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      if (this.count++ === 0) this.#say(error);
      return undefined;
    }
  }
}
