import assert from "node:assert/strict";
import fc from "fast-check";
import { LineSplitter } from "./line_splitter.ts";

/** Splits a text that arrives in chunks whose memory is reused at once, as when bodies are read. */
function split(text: string, cuts: readonly number[], maxBytes = 1000) {
  const splitter = new LineSplitter(maxBytes);
  const bytes = new TextEncoder().encode(text);
  const memory = new Uint8Array(bytes.length);
  const lines: string[] = [];
  let start = 0;
  for (
    const end of [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) =>
      a - b
    )
  ) {
    const chunk = memory.subarray(0, end - start);
    chunk.set(bytes.subarray(start, end));
    lines.push(...splitter.push(chunk));
    memory.fill(0x21);
    start = end;
  }
  lines.push(...splitter.end());
  return { lines, problem: splitter.problem };
}

Deno.test("LineSplitter returns the same lines wherever the bytes are split", () => {
  const lineArb = fc.string({ unit: "grapheme", maxLength: 12 }).filter((line) =>
    !line.includes("\n") && line.trim() !== ""
  );
  fc.assert(
    fc.property(fc.array(lineArb), fc.array(fc.nat()), fc.boolean(), (lines, cuts, last) => {
      const text = lines.join("\n") + (last ? "\n" : "");
      assert.deepEqual(split(text, cuts).lines.map(withoutBom), lines.map(withoutBom));
    }),
  );
});

/** A byte order mark at the start of a line carries no meaning. */
function withoutBom(line: string): string {
  return line.replace(/^\ufeff/, "");
}

Deno.test("LineSplitter omits empty lines and accepts \\r\\n", () => {
  assert.deepEqual(split("\n\na\r\n  \nb", [1, 3]).lines.map((line) => line.trim()), ["a", "b"]);
});

Deno.test("LineSplitter holds no more than one line, and stops at one that is too long", () => {
  assert.deepEqual(split("1234\n12345\n1", [], 4), { lines: ["1234"], problem: "too long" });
  assert.deepEqual(split("1234\n12345", [2, 5, 6, 7], 4), { lines: ["1234"], problem: "too long" });
  assert.deepEqual(split("1234\n1234\n", [3], 4), { lines: ["1234", "1234"], problem: undefined });
});

Deno.test("LineSplitter stops at a line that is not UTF-8", () => {
  const splitter = new LineSplitter(100);
  assert.deepEqual(splitter.push(new Uint8Array([0x61, 0x0a, 0xff, 0x0a, 0x62, 0x0a])), ["a"]);
  assert.equal(splitter.problem, "not UTF-8");
  assert.deepEqual(splitter.push(new Uint8Array([0x63, 0x0a])), []);
});
