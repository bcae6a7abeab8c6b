import assert from "node:assert/strict";
import type { Clock } from "../../contracts/clock.ts";
import { nextTurn } from "./next_turn.ts";
import type { Wake } from "../stream_control.ts";
import { StreamControl } from "../stream_control.ts";
import { ReaderList } from "./reader_list.ts";
import { WakeScheduler } from "./wake_scheduler.ts";

const turn = () => new Promise<void>(nextTurn);

const newControl = () => new StreamControl({ add: () => {}, delete: () => {} });

/** Notes each wake-up of a reader: its number and the reason. */
const noting = (i: number, noted: string[]): Wake => (reason) =>
  noted.push(reason === undefined ? `${i}` : `${i} ${reason}`);

/** Returns readers that note when they are woken. */
function waitersNoting(count: number, noted: string[]): ReaderList {
  const waiters = new ReaderList();
  for (let i = 0; i < count; i++) waiters.wait(newControl(), noting(i, noted));
  return waiters;
}

/** A clock that advances with each reading, so that no round is too early. */
function passingTime(): Clock {
  let nowMs = 0;
  return { now: () => ++nowMs, setTimeout: () => assert.fail("too early"), clearTimeout: () => {} };
}

const roundsOf = (perTurn: number, clock = passingTime()) => new WakeScheduler(perTurn, clock);

/** Announces new events to readers, as a tail does. */
function tell(rounds: WakeScheduler, waiters: ReaderList, reason?: "heartbeat"): void {
  rounds.add(waiters, reason);
  rounds.begin();
}

/** Returns the notes so far, and clears them. */
const take = (noted: string[]) => noted.splice(0).join(", ");

Deno.test("a few readers are woken at once, and as many in each later turn", async () => {
  const noted: string[] = [];
  const rounds = roundsOf(3);
  tell(rounds, waitersNoting(7, noted));
  assert.equal(take(noted), "0, 1, 2");
  rounds.begin();
  assert.equal(take(noted), "", "the next turn is waited for");
  await turn();
  assert.equal(take(noted), "3, 4, 5");
  assert(rounds.isPending);
  await turn();
  assert.equal(take(noted), "6");
  assert(!rounds.isPending);
});

Deno.test("an event that arrives during a round wakes all readers once more", async () => {
  const noted: string[] = [];
  const rounds = roundsOf(2);
  const waiters = waitersNoting(3, noted);
  tell(rounds, waiters);
  rounds.add(waiters);
  tell(rounds, waiters);
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(take(noted), "0, 1, 2, 0, 1, 2");
});

Deno.test("a reader that leaves before its turn, or arrives during the round, is not woken", async () => {
  const noted: string[] = [];
  const rounds = roundsOf(1);
  const waiters = waitersNoting(3, noted);
  const [, second] = waiters;
  tell(rounds, waiters);
  waiters.delete(second!);
  waiters.wait(second!, noting(7, noted));
  waiters.wait(newControl(), noting(8, noted));
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(take(noted), "0, 2");
});

Deno.test("readers that stop waiting when woken, and wait again, are woken once a round", async () => {
  const noted: string[] = [];
  const rounds = roundsOf(2);
  const waiters = waitersNoting(5, noted);
  for (const waiter of waiters) {
    const note = waiter.wake!;
    const wake: Wake = (reason) => {
      note(reason);
      waiters.pause(waiter);
      queueMicrotask(() => waiters.wait(waiter, wake));
    };
    waiter.wake = wake;
  }
  for (let round = 0; round < 2; round++) {
    tell(rounds, waiters);
    for (let i = 0; i < 20; i++) await turn();
    assert.equal(take(noted), "0, 1, 2, 3, 4");
  }
  assert(!rounds.isPending);
});

Deno.test("a number of readers that is none is one", async () => {
  for (const perTurn of [0, NaN, undefined as never]) {
    const noted: string[] = [];
    const rounds = roundsOf(perTurn);
    tell(rounds, waitersNoting(2, noted));
    assert.equal(take(noted), "0");
    await turn();
    assert.equal(take(noted), "1");
  }
});

Deno.test("a heartbeat is a round of its own, and rounds keep their order", async () => {
  const noted: string[] = [];
  const rounds = roundsOf(1);
  const waiters = waitersNoting(2, noted);
  tell(rounds, waiters, "heartbeat");
  tell(rounds, waiters);
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(take(noted), "0 heartbeat, 1 heartbeat, 0, 1");
});

Deno.test("the rest can be woken at once, also by a reader that is being woken", async () => {
  const noted: string[] = [];
  const rounds = roundsOf(1);
  const waiters = waitersNoting(4, noted);
  tell(rounds, waiters);
  rounds.finish();
  assert.equal(take(noted), "0, 1, 2, 3");
  const [, second] = waiters;
  second!.wake = () => {
    noted.push("1 begins");
    if (noted.length < 3) rounds.add(waiters);
    rounds.finish();
    noted.push("1 ends");
  };
  tell(rounds, waiters);
  for (let i = 0; i < 10; i++) await turn();
  assert.equal(
    take(noted),
    "0, 1 begins, 2, 3, 0, 1 begins, 2, 3, 1 ends, 1 ends",
  );
});

/** A clock that stands still, with one timer. */
class StandingTime implements Clock {
  nowMs = 1_000.25;
  timer?: { callback: () => void; atMs: number };

  now = () => this.nowMs;

  setTimeout(callback: () => void, delayMs: number): unknown {
    assert.equal(this.timer, undefined, "one timer is enough");
    return this.timer = { callback, atMs: this.nowMs + delayMs };
  }

  clearTimeout(timer: unknown): void {
    if (timer === this.timer) this.timer = undefined;
  }

  /** Advances to the time at which the timer is due. */
  ring(): void {
    const { callback, atMs } = this.timer!;
    this.timer = undefined;
    this.nowMs = atMs;
    callback();
  }
}

Deno.test("many readers are woken once a millisecond, with all that came in between", async () => {
  const noted: string[] = [];
  const time = new StandingTime();
  const rounds = roundsOf(2, time);
  const waiters = waitersNoting(3, noted);
  const publish = () => tell(rounds, waiters);
  publish();
  await turn();
  assert.equal(take(noted), "0, 1, 2", "the first event after a while is not held back");
  assert.equal(time.timer, undefined);
  time.nowMs += 0.5;
  for (let i = 0; i < 3; i++) publish();
  await turn();
  assert.equal(take(noted), "");
  assert(rounds.isPending);
  time.ring();
  await turn();
  assert.equal(take(noted), "0, 1, 2");
  assert(!rounds.isPending);
  time.nowMs += 1;
  publish();
  await turn();
  assert.equal(take(noted), "0, 1, 2");
});

Deno.test("what comes while many readers are being woken waits for the next millisecond", async () => {
  const noted: string[] = [];
  const time = new StandingTime();
  const rounds = roundsOf(2, time);
  const waiters = waitersNoting(3, noted);
  for (let i = 0; i < 2; i++) {
    tell(rounds, waiters);
  }
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(take(noted), "0, 1, 2");
  time.ring();
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(take(noted), "0, 1, 2");
});

Deno.test("readers that fit into one turn are woken at once, however soon", () => {
  const noted: string[] = [];
  const rounds = roundsOf(3, new StandingTime());
  const waiters = waitersNoting(2, noted);
  for (let i = 0; i < 3; i++) {
    tell(rounds, waiters);
    assert.equal(take(noted), "0, 1");
  }
});

Deno.test("who comes before a round that is waited for hears of what comes after that", async () => {
  const noted: string[] = [];
  const time = new StandingTime();
  const rounds = roundsOf(1, time);
  const waiters = waitersNoting(2, noted);
  const publish = () => tell(rounds, waiters);
  publish();
  for (let i = 0; i < 5; i++) await turn();
  publish();
  waiters.wait(newControl(), noting(2, noted));
  publish();
  time.ring();
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(take(noted), "0, 1, 0, 1, 2");
});

Deno.test("a round that is waited for can be finished at once, and leaves no timer when it is closed", async () => {
  const noted: string[] = [];
  const time = new StandingTime();
  const rounds = roundsOf(1, time);
  const waiters = waitersNoting(2, noted);
  for (let i = 0; i < 2; i++) {
    tell(rounds, waiters);
    await turn();
    await turn();
  }
  assert.equal(take(noted), "0, 1");
  rounds.finish();
  assert.equal(take(noted), "0, 1");
  assert.notEqual(time.timer, undefined);
  rounds.close();
  assert.equal(time.timer, undefined);
});

Deno.test("a few are woken at once while many of another filter are in their pause", async () => {
  const noted: string[] = [];
  const time = new StandingTime();
  const rounds = roundsOf(2, time);
  const many = waitersNoting(3, noted);
  const few = new ReaderList();
  few.wait(newControl(), noting(7, noted));
  for (const [i, said] of ["0, 1, 2, 7", "7", "7"].entries()) {
    rounds.add(many);
    tell(rounds, few);
    for (let turns = 0; turns < 5; turns++) await turn();
    assert.equal(take(noted), said, `event ${i}`);
  }
  time.ring();
  await turn();
  assert.equal(take(noted), "0, 1, 2");
});

Deno.test("many of several filters have one timer", async () => {
  const noted: string[] = [];
  const time = new StandingTime();
  const rounds = roundsOf(1, time);
  const lists = [waitersNoting(2, noted), waitersNoting(3, noted)];
  for (let i = 0; i < 2; i++) {
    for (const waiters of lists) {
      tell(rounds, waiters);
      time.nowMs += 0.25;
    }
    for (let turns = 0; turns < 10; turns++) await turn();
    assert.equal(take(noted), i === 0 ? "0, 1, 0, 1, 2" : "");
  }
  time.ring();
  for (let turns = 0; turns < 10; turns++) await turn();
  assert.equal(take(noted), "0, 1, 0, 1, 2");
  assert(!rounds.isPending);
});

Deno.test("those who have not asked again yet count among the many", async () => {
  const noted: string[] = [];
  const time = new StandingTime();
  const rounds = roundsOf(2, time);
  const waiters = waitersNoting(4, noted);
  const [, , third, fourth] = waiters;
  for (let i = 0; i < 2; i++) {
    tell(rounds, waiters);
    for (let turns = 0; turns < 5; turns++) await turn();
    for (const waiter of [third!, fourth!]) waiters.pause(waiter);
  }
  assert.equal(take(noted), "0, 1, 2, 3");
  time.ring();
  assert.equal(take(noted), "0, 1");
});

Deno.test("a heartbeat neither waits nor delays others", async () => {
  const noted: string[] = [];
  const rounds = roundsOf(1, new StandingTime());
  const waiters = waitersNoting(2, noted);
  for (const reason of ["heartbeat", undefined, "heartbeat"] as const) {
    tell(rounds, waiters, reason);
    for (let turns = 0; turns < 5; turns++) await turn();
  }
  assert.equal(take(noted), "0 heartbeat, 1 heartbeat, 0, 1, 0 heartbeat, 1 heartbeat");
});
