import assert from "node:assert/strict";
import { StreamControl } from "../stream_control.ts";
import { ReaderList } from "./reader_list.ts";

const newControl = () => new StreamControl({ add: () => {}, delete: () => {} });
const wake = () => {};

Deno.test("ReaderList counts each waiting reader once", () => {
  const list = new ReaderList();
  const [a, b] = [newControl(), newControl()];
  for (let i = 0; i < 2; i++) {
    list.wait(a, wake);
    list.wait(b, wake);
  }
  assert.equal(list.waiting, 2);
  for (let i = 0; i < 2; i++) list.pause(a);
  assert.equal(list.waiting, 1);
  assert.deepEqual([...list], [a, b], "who rests keeps its place");
  list.wait(a, wake);
  assert.deepEqual([list.waiting, list.arrivals, [...list]], [2, 2, [a, b]]);
});

Deno.test("ReaderList forgets removed readers, and a reader that returns is last", () => {
  const list = new ReaderList();
  const [a, b] = [newControl(), newControl()];
  for (const control of [a, b]) list.wait(control, wake);
  for (let i = 0; i < 2; i++) list.delete(a);
  assert.deepEqual([list.waiting, [...list], a.wake], [1, [b], undefined]);
  list.wait(a, wake);
  assert.deepEqual([...list].map(({ arrival }) => arrival), [2, 3]);
});

Deno.test("ReaderList leaves a reader's other waits alone", () => {
  const list = new ReaderList();
  const control = newControl();
  list.wait(control, wake);
  list.pause(control);
  control.wake = wake; // For example, for a store.
  list.pause(control);
  assert.equal(control.wake, wake);
});
