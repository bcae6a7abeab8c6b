import assert from "node:assert/strict";
import { KnownAnswers } from "./known_answers.ts";

Deno.test("KnownAnswers keeps the latest hundred chats", () => {
  const known = new KnownAnswers();
  for (let i = 0; i < 150; i++) known.record(`c${i}`, { answer: `t${i}` });
  known.record("c60", { answer: "again" });
  known.record("c150", { answer: "t150" });
  const answers = Array.from({ length: 151 }, (_, i) => known.find(`c${i}`, undefined).answer);
  assert.equal(answers.filter((answer) => answer !== undefined).length, 100);
  assert.deepEqual([answers[50], answers[51], answers[60]], [undefined, "t51", "again"]);
});

Deno.test("KnownAnswers returns the answer with which a page was opened until it is complete", () => {
  const known = new KnownAnswers();
  const opened = { message: "q1" };
  assert.equal(known.find("c", opened), opened);
  known.complete("c", opened);
  assert.deepEqual(known.find("c", { ...opened }), {});
  const later = { message: "q2" };
  assert.equal(known.find("c", later), later, "the page was opened again with a later message");
  known.record("c", { answer: "t1", message: "q2" });
  known.complete("c", { answer: "t0", message: "q1" });
  assert.equal(
    known.find("c", later).answer,
    "t1",
    "an older answer does not complete a newer one",
  );
});
