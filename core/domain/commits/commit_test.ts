import assert from "node:assert/strict";
import type { EventDraft } from "../../contracts/records.ts";
import type { Commit } from "../../contracts/short_term_store.ts";
import type { CommitState } from "./commit.ts";
import { checkCommit } from "./commit.ts";

const AT = { incarnation: "mine", version: 3 };

function stored(changes: Partial<CommitState> = {}): CommitState {
  return {
    ...AT,
    status: "running",
    length: 10,
    dataBytes: 100,
    lease: "1.mine",
    leaseDueMs: 50,
    producer: (id) => id === "p" ? { epoch: 2, nextSeq: 1, indexOf: () => 4 } : undefined,
    seriesKind: (id) => id === "s" ? { mode: "latest" } : undefined,
    isTrimmed: () => false,
    ...changes,
  };
}

function commit(changes: Partial<Commit>): Commit {
  return {
    taskId: "t",
    expect: "live",
    events: [],
    nowMs: 0,
    maxEvents: 20,
    maxBytes: 200,
    ...changes,
  };
}

function draft(changes: Partial<EventDraft> = {}): EventDraft {
  return { entropy: 0, type: "step", level: "info", data: "null", ...changes };
}

const sent = (seq: number, epoch = 2) => draft({ producer: { id: "p", epoch, seq } });

/** Each mistake with its refusal, in the order of the checks. */
const MISTAKES: readonly {
  code: string;
  events?: EventDraft[];
  state?: Partial<CommitState>;
  commit?: Partial<Commit>;
}[] = [
  { code: "REPLACED", commit: { expect: { live: true, incarnation: "other" } } },
  { code: "PRODUCER_FENCED", events: [sent(0, 1)] },
  { code: "TERMINAL", state: { status: "completed" } },
  { code: "LEASE_LOST", commit: { lease: "0.older" } },
  { code: "SERIES_CONFLICT", events: [draft({ seriesId: "s", seriesMode: "keep-all" })] },
  { code: "TASK_FULL", commit: { maxBytes: 103 } },
];

Deno.test("checkCommit() finds reasons for refusal in a fixed order", () => {
  const codes: string[] = [];
  for (let first = 0; first <= MISTAKES.length; first++) {
    const left = MISTAKES.slice(first).toReversed();
    const checked = checkCommit(
      stored(Object.assign({}, ...left.map(({ state }) => state))),
      commit({
        events: [draft(), ...left.flatMap(({ events = [] }) => events)],
        ...Object.assign({}, ...left.map(({ commit }) => commit)),
      }),
    );
    codes.push("code" in checked ? checked.code : "taken");
  }
  assert.deepEqual(codes, [...MISTAKES.map(({ code }) => code), "taken"]);
});

Deno.test("checkCommit() creates a task only if no task and no tombstone has the id", () => {
  const create = commit({ expect: "absent" });
  assert(!("code" in checkCommit(undefined, create)));
  assert.deepEqual(checkCommit(stored(), create), { code: "EXISTS" });
  assert.deepEqual(checkCommit(undefined, create, true), { code: "EXISTS" });
});

Deno.test("checkCommit() replaces a record at one version of one incarnation, however full the log is", () => {
  const full = stored({ status: "completed", length: 30, dataBytes: 300 });
  const replace = (expect: Commit["expect"]) =>
    checkCommit(full, commit({ expect, events: [draft()] }));
  assert(!("code" in replace(AT)));
  assert.deepEqual(replace({ ...AT, version: 2 }), { code: "CONFLICT" });
  assert.deepEqual(replace({ ...AT, incarnation: "other" }), { code: "CONFLICT" });
  assert.deepEqual(checkCommit(undefined, commit({ expect: AT })), { code: "ABSENT" });
  assert.deepEqual(checkCommit(undefined, commit({})), { code: "ABSENT" });
});

Deno.test("checkCommit() ends a lease only when it has expired", () => {
  const end = (leaseBy: number, changes: Partial<CommitState> = {}) => {
    const checked = checkCommit(stored(changes), commit({ expect: { ...AT, leaseBy } }));
    return "code" in checked ? checked.code : "taken";
  };
  assert.deepEqual([end(49), end(50), end(51)], ["NOT_DUE", "taken", "taken"]);
  assert.equal(end(1_000, { leaseDueMs: undefined }), "NOT_DUE");
  assert.equal(end(49, { version: 4 }), "CONFLICT");
});

Deno.test("checkCommit() asks for no lease where no new event is appended", () => {
  const repeated = commit({ events: [sent(0)], lease: "0.older" });
  assert("repeats" in checkCommit(stored(), repeated));
  assert("repeats" in checkCommit(stored(), commit({ lease: "0.older" })));
});

Deno.test("checkCommit() accepts what repeats stored events, though the task ended or is full", () => {
  const ended = stored({ status: "completed", length: 30, dataBytes: 300 });
  const checked = checkCommit(ended, commit({ events: [sent(0)] }));
  assert.deepEqual("repeats" in checked && checked.repeats, [4]);
});

Deno.test("checkCommit() refuses to repeat an event that was removed, since its task ended", () => {
  const asked: number[] = [];
  const trimmed = stored({
    status: "failed",
    isTrimmed: (index) => asked.push(index) > 0,
  });
  assert.deepEqual(checkCommit(trimmed, commit({ events: [sent(0)] })), {
    code: "TERMINAL",
    status: "failed",
  });
  assert.deepEqual(asked, [4]);
});

Deno.test("checkCommit() asks nothing about an event that repeats one of the same commit", () => {
  const state = stored({ isTrimmed: () => assert.fail("it is not stored yet") });
  const checked = checkCommit(state, commit({ events: [sent(1), sent(1)] }));
  assert.deepEqual("repeats" in checked && checked.repeats, [undefined, 10]);
});

Deno.test("checkCommit() counts only new events against the bounds of a log", () => {
  const at = (maxEvents: number, maxBytes: number) =>
    checkCommit(stored(), commit({ events: [sent(0), draft()], maxEvents, maxBytes }));
  assert(!("code" in at(11, 104)));
  assert.deepEqual(at(10, 104), { code: "TASK_FULL" });
  assert.deepEqual(at(11, 103), { code: "TASK_FULL" });
});
