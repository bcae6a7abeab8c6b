import assert from "node:assert/strict";
import { nextTurn } from "./next_turn.ts";
import { StreamControl } from "./stream_control.ts";
import { WakeRounds } from "./wake_rounds.ts";

const turn = () => new Promise<void>(nextTurn);

/** Readers who note when they are woken, by their number, and why. */
function waitersNoting(count: number, noted: string[]): Set<StreamControl> {
  return new Set(Array.from({ length: count }, (_, i) => {
    const control = new StreamControl({ add: () => {}, delete: () => {} });
    control.wake = (reason) => noted.push(reason === undefined ? `${i}` : `${i} ${reason}`);
    return control;
  }));
}

/** What is noted until now, and forgets it. */
const take = (noted: string[]) => noted.splice(0).join(", ");

Deno.test("a few readers are woken at once, and as many in each later turn", async () => {
  const noted: string[] = [];
  const rounds = new WakeRounds(3);
  rounds.add(waitersNoting(7, noted));
  rounds.begin();
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

Deno.test("what comes while readers are being woken wakes all of them once more", async () => {
  const noted: string[] = [];
  const rounds = new WakeRounds(2);
  const waiters = waitersNoting(3, noted);
  rounds.add(waiters);
  rounds.begin();
  rounds.add(waiters);
  rounds.add(waiters);
  rounds.begin();
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(take(noted), "0, 1, 2, 0, 1, 2");
});

Deno.test("who leaves before its turn is not woken, nor who comes meanwhile, who has looked", async () => {
  const noted: string[] = [];
  const rounds = new WakeRounds(1);
  const waiters = waitersNoting(3, noted);
  const [, second] = waiters;
  rounds.add(waiters);
  rounds.begin();
  waiters.delete(second!);
  const [comes] = waitersNoting(1, noted);
  waiters.add(comes!);
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(take(noted), "0, 2");
});

Deno.test("readers who stop waiting when they are woken, and wait again, are woken once a round", async () => {
  const noted: string[] = [];
  const rounds = new WakeRounds(2);
  const waiters = waitersNoting(5, noted);
  for (const waiter of waiters) {
    const { wake } = waiter;
    waiter.wake = (reason) => {
      wake!(reason);
      waiters.delete(waiter);
      queueMicrotask(() => waiters.add(waiter));
    };
  }
  for (let round = 0; round < 2; round++) {
    rounds.add(waiters);
    rounds.begin();
    for (let i = 0; i < 20; i++) await turn();
    assert.equal(take(noted), "0, 1, 2, 3, 4");
  }
  assert(!rounds.isPending);
});

Deno.test("a number of readers that is none is one", async () => {
  for (const perTurn of [0, NaN, undefined as never]) {
    const noted: string[] = [];
    const rounds = new WakeRounds(perTurn);
    rounds.add(waitersNoting(2, noted));
    rounds.begin();
    assert.equal(take(noted), "0");
    await turn();
    assert.equal(take(noted), "1");
  }
});

Deno.test("a sign of life is a round of its own, and rounds keep their order", async () => {
  const noted: string[] = [];
  const rounds = new WakeRounds(1);
  const waiters = waitersNoting(2, noted);
  rounds.add(waiters, "heartbeat");
  rounds.begin();
  rounds.add(waiters);
  rounds.begin();
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(take(noted), "0 heartbeat, 1 heartbeat, 0, 1");
});

Deno.test("the rest can be woken at once, also by a reader that is being woken", async () => {
  const noted: string[] = [];
  const rounds = new WakeRounds(1);
  const waiters = waitersNoting(4, noted);
  rounds.add(waiters);
  rounds.begin();
  rounds.finish();
  assert.equal(take(noted), "0, 1, 2, 3");
  const [, second] = waiters;
  second!.wake = () => {
    noted.push("1 begins");
    if (noted.length < 3) rounds.add(waiters);
    rounds.finish();
    noted.push("1 ends");
  };
  rounds.add(waiters);
  rounds.begin();
  for (let i = 0; i < 10; i++) await turn();
  assert.equal(
    take(noted),
    "0, 1 begins, 2, 3, 0, 1 begins, 2, 3, 1 ends, 1 ends",
  );
});
