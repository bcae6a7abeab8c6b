import assert from "node:assert/strict";
import type { BroadcastProvider, Signal } from "../contracts/broadcast.ts";
import type { Check, ConformanceOptions } from "./suite.ts";
import { register } from "./suite.ts";

/** Two ends of one broadcast layer. Each end receives what either publishes. */
export interface BroadcastPair {
  /** The end on which the checks publish. */
  publisher: BroadcastProvider;
  /**
   * The end on which they listen: another instance if the layer supports several, else the same
   * object.
   */
  subscriber: BroadcastProvider;
  /** Releases both. */
  close?(): unknown;
}

async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!holds()) {
    assert(Date.now() < deadline, `waited too long until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

function signal(taskId: string, from: number): Signal {
  return { taskId, from, length: from + 1 };
}

/** The greatest length received for each task. */
class Heard {
  readonly lengths = new Map<string, number>();
  readonly take = ({ taskId, length }: Signal): void => {
    this.lengths.set(taskId, Math.max(length, this.lengths.get(taskId) ?? 0));
  };
}

const CHECKS: readonly Check<BroadcastPair>[] = [
  {
    title: "listeners of a task receive signals of that task only",
    async run({ publisher, subscriber }) {
      const heard = new Heard();
      await subscriber.subscribe({ taskId: "a" }, heard.take);
      for (let i = 0; i < 5; i++) {
        await publisher.publish(signal("b", i));
        await publisher.publish(signal("a", i));
      }
      await until(() => heard.lengths.get("a") === 5, "the last signal has come");
      assert.deepEqual([...heard.lengths.keys()], ["a"]);
    },
  },
  {
    title: "listeners of all tasks receive signals of every task",
    async run({ publisher, subscriber }) {
      const heard = new Heard();
      await subscriber.subscribe({ all: true }, heard.take);
      const ids = Array.from({ length: 20 }, (_, i) => `t${i}`);
      await Promise.all(ids.map((id) => publisher.publish(signal(id, 0))));
      await until(() => heard.lengths.size === 20, "all have come");
    },
  },
  {
    title: "every listener receives signals, and removing one leaves the others",
    async run({ publisher, subscriber }) {
      const [first, second, own] = [new Heard(), new Heard(), new Heard()];
      const stop = await subscriber.subscribe({ taskId: "a" }, first.take);
      await subscriber.subscribe({ taskId: "a" }, second.take);
      await publisher.subscribe({ taskId: "a" }, own.take);
      await publisher.publish(signal("a", 0));
      const all = [first, second, own];
      await until(() => all.every(({ lengths }) => lengths.get("a") === 1), "all have heard");
      await stop();
      await stop();
      await publisher.publish(signal("a", 1));
      await until(() => second.lengths.get("a") === 2 && own.lengths.get("a") === 2, "both heard");
      assert.equal(first.lengths.get("a"), 1);
    },
  },
  {
    title: "the end of a task is signalled even if signals are merged",
    async run({ publisher, subscriber }) {
      let ended = false;
      await subscriber.subscribe({ taskId: "a" }, (heard) => ended ||= heard.ended === true);
      await publisher.publish({ ...signal("a", 0), ended: true });
      await publisher.publish({ taskId: "a", from: 0, length: 0 });
      await until(() => ended, "the end has come");
    },
  },
  {
    title: "a listener that throws affects neither the publisher nor other listeners",
    async run({ publisher, subscriber }) {
      const heard = new Heard();
      await subscriber.subscribe({ taskId: "a" }, () => {
        throw new Error("a listener's own error");
      });
      await subscriber.subscribe({ taskId: "a" }, heard.take);
      await publisher.publish(signal("a", 0));
      await until(() => heard.lengths.get("a") === 1, "the other has heard");
    },
  },
];

/**
 * Tests that a broadcast layer keeps its contract. Give {@linkcode BroadcastPair} two instances
 * that see each other, as two servers would have them.
 */
export function testBroadcast(options: ConformanceOptions<BroadcastPair>): void {
  register(CHECKS, options);
}
