// @ts-types="@types/sinonjs__fake-timers"
import { install } from "@sinonjs/fake-timers";
import assert from "node:assert/strict";
import { inNextFrame } from "./frames.ts";

/** A page whose frames the test triggers, with a manual clock. */
function withPage(
  visibilityState: string,
  use: (page: {
    frame(): void;
    pass(ms: number): void;
    /** Number of requested frames and timers that were not cancelled. */
    pending(): number;
  }) => void,
): void {
  const host = globalThis as Record<string, unknown>;
  const frames = new Map<number, () => void>();
  const clock = install({ toFake: ["setTimeout", "clearTimeout"] });
  let last = 0;
  host.document = { visibilityState };
  host.requestAnimationFrame = (run: () => void) => {
    frames.set(++last, run);
    return last;
  };
  host.cancelAnimationFrame = (frame: number) => frames.delete(frame);
  try {
    use({
      frame() {
        const runs = [...frames.values()];
        frames.clear();
        for (const run of runs) run();
      },
      pass: (ms) => void clock.tick(ms),
      pending: () => frames.size + clock.countTimers(),
    });
  } finally {
    clock.uninstall();
    for (const name of ["document", "requestAnimationFrame", "cancelAnimationFrame"]) {
      delete host[name];
    }
  }
}

Deno.test("inNextFrame() runs all callbacks in one frame, once each, and leaves nothing behind", () => {
  withPage("visible", ({ frame, pass, pending }) => {
    const called: string[] = [];
    inNextFrame(() => called.push("a"));
    inNextFrame(() => {
      called.push("b");
      inNextFrame(() => called.push("in the next"));
    });
    pass(100);
    assert.deepEqual(called, []);
    frame();
    assert.deepEqual(called, ["a", "b"]);
    frame();
    assert.deepEqual(called, ["a", "b", "in the next"]);
    assert.equal(pending(), 0);
  });
});

Deno.test("inNextFrame() uses a timer in a hidden tab, and if no frame comes", () => {
  for (const [visibility, withinMs] of [["hidden", 16], ["visible", 250]] as const) {
    withPage(visibility, ({ pass, pending }) => {
      let calls = 0;
      inNextFrame(() => calls++);
      pass(withinMs - 1);
      assert.equal(calls, 0);
      pass(1);
      assert.equal(calls, 1, visibility);
      assert.equal(pending(), 0);
    });
  }
});

Deno.test("a cancelled callback is not called, and its frame is cancelled", () => {
  withPage("visible", ({ frame, pending }) => {
    const called: string[] = [];
    const cancel = inNextFrame(() => called.push("a"));
    const cancelOther = inNextFrame(() => called.push("b"));
    cancel();
    frame();
    assert.deepEqual(called, ["b"]);
    cancelOther();
    inNextFrame(() => called.push("c"))();
    assert.equal(pending(), 0);
  });
});

Deno.test("a callback that throws does not keep the others from the next frame", () => {
  withPage("visible", ({ frame, pending }) => {
    const called: string[] = [];
    inNextFrame(() => {
      throw new RangeError("a bug");
    });
    inNextFrame(() => called.push("b"));
    assert.throws(frame, RangeError);
    inNextFrame(() => called.push("c"));
    frame();
    assert.deepEqual(called, ["b", "c"]);
    assert.equal(pending(), 0);
  });
});
