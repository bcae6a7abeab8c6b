import type { ScriptCall } from "./script_call.ts";

/** Milliseconds between two looks at whether a slot is whole again. */
const PAUSE_MS = 50;

/** Calls that were not carried out and are to be sent again. */
export interface Unsent {
  /** The server did not know their scripts. */
  unknown: ScriptCall[];
  /** Their slot was elsewhere, or on two nodes at once. */
  moved: ScriptCall[];
  /** The answer to one of those. */
  cause?: Error;
}

/** How a lane does what it decides. */
export interface LaneActions {
  /** Sends calls and settles all but those that it returns. Never rejects. */
  send(calls: readonly ScriptCall[], by: "evalsha" | "eval"): Promise<Unsent>;
  /** Why a call that was held must not be sent any more, if so. */
  refusal(call: ScriptCall): Error | undefined;
  /** Resolves when the slot is whole on one node, and the client knows which. */
  findSlot(): Promise<unknown>;
}

/**
 * Keeps calls in the order in which they were asked for: all calls of one server, or on a cluster those
 * of one partition.
 *
 * Calls are sent without waiting for answers to earlier ones. When some were not carried out, later
 * ones are held until these have been sent again: otherwise a later call would overtake an earlier one,
 * and the number of a commit that arrives late is taken for one that was carried out already.
 */
export class Lane {
  readonly #actions: LaneActions;
  #held: ScriptCall[] = [];
  #moved: ScriptCall[] = [];
  /** Groups of calls that are not settled. */
  #underWay = 0;
  #isHeld = false;
  #isLooking = false;
  #obstacle?: { sinceMs: number; cause: unknown };
  #endPause?: () => void;

  constructor(actions: LaneActions) {
    this.#actions = actions;
  }

  /** Set while the slot is being moved, or nobody serves it. */
  get obstacle(): { readonly sinceMs: number; readonly cause: unknown } | undefined {
    return this.#obstacle;
  }

  /** Sends calls, or holds them. */
  send(calls: readonly ScriptCall[]): void {
    if (!this.#isHeld) return void this.#transmit(calls, "evalsha");
    for (const call of calls) this.#held.push(call);
    this.look();
  }

  /** Looks whether the slot is whole again, if it was not. */
  look(): void {
    if (this.#obstacle !== undefined && this.#underWay === 0) void this.#awaitSlot();
  }

  /** Ends pauses. What is held is refused by the next look. */
  close(): void {
    this.#endPause?.();
  }

  async #transmit(calls: readonly ScriptCall[], by: "evalsha" | "eval"): Promise<void> {
    this.#underWay++;
    const { unknown, moved, cause } = await this.#actions.send(calls, by);
    if (moved.length > 0) {
      this.#isHeld = true;
      this.#obstacle = { sinceMs: this.#obstacle?.sinceMs ?? performance.now(), cause };
      this.#moved.push(...moved);
    }
    if (unknown.length > 0) {
      this.#isHeld = true;
      await this.#transmit(unknown, "eval");
    }
    if (--this.#underWay > 0 || !this.#isHeld) return;
    if (this.#moved.length > 0) this.look();
    else this.#release();
  }

  async #awaitSlot(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    do {
      await this.#pause();
      const isWhole = await this.#findSlot();
      this.#moved = this.#wanted(this.#moved);
      this.#held = this.#wanted(this.#held);
      if (isWhole) {
        this.#isLooking = false;
        return this.#release();
      }
    } while (this.#moved.length + this.#held.length > 0);
    // The next call has it looked again.
    this.#isLooking = false;
  }

  async #findSlot(): Promise<boolean> {
    try {
      await this.#actions.findSlot();
      return true;
    } catch (cause) {
      if (this.#obstacle !== undefined) this.#obstacle.cause = cause;
      return false;
    }
  }

  #release(): void {
    const calls = this.#wanted(this.#moved.sort((a, b) => a.order - b.order));
    for (const call of this.#wanted(this.#held)) calls.push(call);
    this.#moved = [];
    this.#held = [];
    this.#isHeld = false;
    this.#obstacle = undefined;
    if (calls.length > 0) void this.#transmit(calls, "evalsha");
  }

  /** Refuses calls that must not be sent any more. Returns the others. */
  #wanted(calls: readonly ScriptCall[]): ScriptCall[] {
    return calls.filter((call) => {
      const refusal = this.#actions.refusal(call);
      if (refusal !== undefined) call.reject(refusal);
      return refusal === undefined;
    });
  }

  async #pause(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#endPause = resolve;
      timer = setTimeout(resolve, PAUSE_MS);
    });
    clearTimeout(timer);
    this.#endPause = undefined;
  }
}
