import assert from "node:assert/strict";
import type { ChunkFields } from "./chunks.ts";
import { DeliveredChunks, OtherAnswerError } from "./delivered_chunks.ts";

const delta = (text: string, id = "0"): ChunkFields => ({ type: "text-delta", id, delta: text });
const begin = (id = "0"): ChunkFields => ({ type: "text-start", id });
const end = (id = "0"): ChunkFields => ({ type: "text-end", id });
const signed: ChunkFields = { ...delta(""), providerMetadata: { test: { signature: "abc" } } };

/** Two texts with the same id, one after the other, and a third text in parallel. */
const ANSWER = [
  { type: "start", messageId: "m1" },
  begin(),
  delta("He"),
  begin("1"),
  delta("other", "1"),
  delta("llo"),
  signed,
  end(),
  begin(),
  delta("Hello"),
  delta(" text", "1"),
  delta(" again"),
  end("1"),
  end(),
  { type: "finish" },
];

/** The same answer as a late join has it: each text at the position of its newest delta. */
const AGAIN = [
  ...ANSWER.slice(0, 2),
  begin("1"),
  delta("Hello"),
  signed,
  end(),
  begin(),
  delta("other text", "1"),
  delta("Hello again"),
  end("1"),
  end(),
  { type: "finish" },
];

/** Returns what chunks add up to: texts by number, and all other chunks in order. */
function foldOf(chunks: readonly ChunkFields[]): unknown {
  const texts: string[] = [];
  const open = new Map<unknown, number>();
  for (const { type, id, delta } of chunks) {
    if (type === "text-start") open.set(id, texts.push("") - 1);
    if (type === "text-delta") texts[open.get(id)!]! += String(delta);
  }
  const isOther = ({ type, delta }: ChunkFields) => type !== "text-delta" || delta === "";
  return [texts, chunks.filter(isOther)];
}

Deno.test("an answer that breaks off at any point and is repeated gives the same result", () => {
  for (let first = 0; first <= ANSWER.length; first++) {
    for (let second = 0; second <= AGAIN.length; second++) {
      const delivered = new DeliveredChunks();
      const deliver = (chunks: readonly ChunkFields[], isWhole: boolean) => {
        const delivery = delivered.begin();
        const fresh = chunks.map((chunk) => delivery.freshOf(chunk));
        if (isWhole) delivery.end();
        return fresh.filter((chunk) => chunk !== undefined);
      };
      const all = [
        ...deliver(ANSWER.slice(0, first), false),
        ...deliver(AGAIN.slice(0, second), false),
        ...deliver(AGAIN, true),
      ];
      assert.deepEqual(foldOf(all), foldOf(ANSWER), `broke off after ${first} and ${second}`);
    }
  }
});

Deno.test("a repeated answer with other content is refused", () => {
  const others: ChunkFields[][] = [
    [begin(), delta("abcde12345678")],
    [begin(), delta("abc"), delta("xy")],
    [begin("1"), delta("abcdeLOST", "1")],
  ];
  for (const other of others) {
    const delivered = new DeliveredChunks();
    const first = delivered.begin();
    for (const chunk of [begin(), delta("abcde"), delta("LOST")]) first.freshOf(chunk);
    const second = delivered.begin();
    assert.throws(() => other.map((chunk) => second.freshOf(chunk)), OtherAnswerError);
  }
  const delivered = new DeliveredChunks();
  const first = delivered.begin();
  for (const chunk of [begin(), delta("abcde"), end()]) first.freshOf(chunk);
  for (const shorter of [[begin(), delta("abc")], [begin(), delta("abcde")], []]) {
    const second = delivered.begin();
    for (const chunk of shorter) assert.equal(second.freshOf(chunk), undefined);
    assert.throws(() => second.end(), OtherAnswerError);
  }
});
