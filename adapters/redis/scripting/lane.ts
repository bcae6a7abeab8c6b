import type { ScriptCall } from "./script_call.ts";

/** Milliseconds between checks whether a slot is whole again. */
const PAUSE_MS = 50;

/** Calls that were not run and must be sent again. */
export interface Unsent {
  /** Calls whose scripts the server did not know. */
  unknown: ScriptCall[];
  /** Calls whose slot was elsewhere, or split between two nodes. */
  moved: ScriptCall[];
  /** The error of one of the moved calls. */
  cause?: Error;
}

/** The operations that a lane uses. */
export interface LaneActions {
  /** Sends calls and settles all except those that it returns. Never rejects. */
  send(calls: readonly ScriptCall[], by: "evalsha" | "eval"): Promise<Unsent>;
  /** Returns why a held call must no longer be sent, if so. */
  refusal(call: ScriptCall): Error | undefined;
  /** Resolves when the slot is whole on one node that the client knows. */
  findSlot(): Promise<unknown>;
}

/**
 * Keeps calls in order: all calls of one server, or those of one partition of a cluster.
 *
 * Calls are sent without waiting for earlier replies. If some were not run, later calls are held
 * until those were sent again. Otherwise a later call would overtake an earlier one, and the number
 * of the late commit would make it look like a repetition.
 */
export class Lane {
  readonly #actions: LaneActions;
  #held: ScriptCall[] = [];
  #moved: ScriptCall[] = [];
  /** Number of groups not yet settled. */
  #underWay = 0;
  #isHeld = false;
  #isRechecking = false;
  #obstacle?: { sinceMs: number; cause: unknown };
  #endPause?: () => void;

  constructor(actions: LaneActions) {
    this.#actions = actions;
  }

  /** Set while the slot is moving or no node serves it. */
  get obstacle(): { readonly sinceMs: number; readonly cause: unknown } | undefined {
    return this.#obstacle;
  }

  /** Sends calls, or holds them. */
  send(calls: readonly ScriptCall[]): void {
    if (!this.#isHeld) return void this.#transmit(calls, "evalsha");
    for (const call of calls) this.#held.push(call);
    this.recheckSlot();
  }

  /** Checks whether the slot is whole again, if it was not. */
  recheckSlot(): void {
    if (this.#obstacle !== undefined && this.#underWay === 0) void this.#awaitSlot();
  }

  /** Ends pauses. The next check refuses held calls. */
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
    if (this.#moved.length > 0) this.recheckSlot();
    else this.#release();
  }

  async #awaitSlot(): Promise<void> {
    if (this.#isRechecking) return;
    this.#isRechecking = true;
    do {
      await this.#pause();
      const isWhole = await this.#findSlot();
      this.#moved = this.#rejectRefused(this.#moved);
      this.#held = this.#rejectRefused(this.#held);
      if (isWhole) {
        this.#isRechecking = false;
        return this.#release();
      }
    } while (this.#moved.length + this.#held.length > 0);
    // The next call starts another check.
    this.#isRechecking = false;
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
    const calls = this.#rejectRefused(this.#moved.sort((a, b) => a.order - b.order));
    for (const call of this.#rejectRefused(this.#held)) calls.push(call);
    this.#moved = [];
    this.#held = [];
    this.#isHeld = false;
    this.#obstacle = undefined;
    if (calls.length > 0) void this.#transmit(calls, "evalsha");
  }

  /** Rejects calls that must no longer be sent. Returns the others. */
  #rejectRefused(calls: readonly ScriptCall[]): ScriptCall[] {
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
