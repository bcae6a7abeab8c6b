/** Counts what fails instead of ending the run, and tells why the first did. */
export class ErrorCount {
  count = 0;
  readonly #say: (error: unknown) => void;

  constructor(say: (error: unknown) => void = console.error) {
    this.#say = say;
  }

  /** Waits for work that may fail. */
  async watch<T>(work: Promise<T>): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      if (this.count++ === 0) this.#say(error);
      return undefined;
    }
  }
}
