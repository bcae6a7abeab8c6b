import assert from "node:assert/strict";
import { seededRandom } from "../conformance/seeded_random.ts";
import { copyOf } from "./copy.ts";

const random = seededRandom(6);
const upTo = (n: number) => Math.floor(random() * n);
const KEYS = ["a", "b", "0", "", "__proto__", "constructor", "toString", "ü\ud800"];

/** Any value that a task can hold, and `undefined` in objects. */
function anyValue(depth: number): unknown {
  const kind = upTo(depth === 0 ? 6 : 8);
  if (kind === 6) return Array.from({ length: upTo(4) }, () => anyValue(depth - 1) ?? null);
  if (kind === 7) {
    return Object.fromEntries(
      Array.from({ length: upTo(5) }, () => [KEYS[upTo(KEYS.length)]!, anyValue(depth - 1)]),
    );
  }
  return [null, undefined, true, random() * 1e9, "text \0 \ud800", -0][kind];
}

/** All objects and arrays in a value. */
function parts(value: unknown): object[] {
  if (typeof value !== "object" || value === null) return [];
  return [value, ...Object.values(value).flatMap(parts)];
}

Deno.test("a copy is what structuredClone makes, and shares nothing", () => {
  for (let i = 0; i < 2_000; i++) {
    const value = anyValue(5);
    const copy = copyOf(value);
    assert.deepStrictEqual(copy, structuredClone(value));
    const shared = new Set(parts(value));
    assert(parts(copy).every((part) => !shared.has(part)));
  }
});

Deno.test("values that are not JSON are copied as by structuredClone, or refused", () => {
  const bare = Object.assign(Object.create(null), { a: 1 });
  const values = [new Date(5), new Map([[1, { a: 1 }]]), { at: new Date(7) }, 5n, bare];
  for (const value of values) assert.deepStrictEqual(copyOf(value), structuredClone(value));
  for (const value of [() => {}, { a: () => {} }, Symbol("s")]) {
    assert.throws(() => copyOf(value), { name: "DataCloneError" });
  }
});
