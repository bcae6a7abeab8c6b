import assert from "node:assert/strict";
import { TaskcastClient } from "@taskcast/client";
import type { TaskEvent } from "@taskcast/core/protocol";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { until } from "../sse/sse.ts";

/** Origin that stands for any of the servers; each request picks one. */
const ANY = "http://taskcast.test";

/** The servers that are currently running. They may end and return at another address. */
export interface Servers {
  urls: string[];
}

/** Returns a `fetch` that rotates through the servers, like a load balancer. */
function balanced(servers: Servers): typeof fetch {
  let next = 0;
  return (input, init) => {
    const url = servers.urls[next++ % servers.urls.length]!;
    return fetch(String(input).replace(ANY, url), init);
  };
}

/** Returns a client that talks to any running server and retries for a long time. */
export function producer(servers: Servers): TaskcastServerClient {
  return new TaskcastServerClient({
    baseUrl: ANY,
    fetch: balanced(servers),
    retry: { attempts: 200, minDelayMs: 10, maxDelayMs: 100 },
    timeoutMs: 3_000,
  });
}

/** Returns a client that follows tasks through any running server. */
export function consumer(servers: Servers): TaskcastClient {
  return new TaskcastClient({
    baseUrl: ANY,
    fetch: balanced(servers),
    connection: { minDelayMs: 5, maxDelayMs: 100 },
  });
}

/** Everything that a reader has seen by the end. */
interface Seen {
  plain: unknown[];
  text: unknown;
  reason?: string;
}

async function follow(servers: Servers, taskId: string): Promise<Seen> {
  const stream = consumer(servers).stream(taskId);
  const plain: unknown[] = [];
  for await (const { seriesId, data, type } of stream) {
    if (seriesId === undefined && type === "n") plain.push(data);
  }
  return { plain, text: stream.text("s"), reason: stream.reason };
}

/** Producers that write to one task and readers that follow it, during failures. */
export class Load {
  readonly taskId: string;
  readonly acknowledged: Set<string> = new Set();
  readonly #servers: Servers;
  readonly #readers: Promise<Seen>[] = [];
  readonly #producers: Promise<void>[];
  #stopped = false;

  /** The task must exist. */
  constructor(
    servers: Servers,
    taskId: string,
    { producers = 4, readers = 3 }: { producers?: number; readers?: number } = {},
  ) {
    this.#servers = servers;
    this.taskId = taskId;
    for (let i = 0; i < readers; i++) this.join();
    this.#producers = Array.from({ length: producers }, (_, i) => this.#produce(i));
  }

  /** Adds a reader. */
  join(): void {
    const reader = follow(this.#servers, this.taskId);
    reader.catch(() => {}); // Reported at the end.
    this.#readers.push(reader);
  }

  /** Waits until this number of further events is acknowledged. */
  async more(count: number): Promise<void> {
    const goal = this.acknowledged.size + count;
    await until(() => this.acknowledged.size >= goal, `${count} more events are acknowledged`);
  }

  /** Ends the task and checks what every reader has seen. Returns the whole log. */
  async finish(): Promise<TaskEvent[]> {
    this.#stopped = true;
    await Promise.all(this.#producers);
    const taskcast = producer(this.#servers);
    await taskcast.transitionTask(this.taskId, "completed");
    const log = await Array.fromAsync(taskcast.history(this.taskId));
    assert.deepEqual(log.map(({ index }) => index), log.map((_, i) => i), "without holes");
    const said = log.filter(({ type }) => type === "n");
    const names = said.map(({ data }) => (data as { name: string }).name);
    assert.equal(new Set(names).size, names.length, "nothing is doubled");
    for (const name of this.acknowledged) assert(names.includes(name), `${name} is there`);
    for (const p of new Set(names.map((name) => name.split(".")[0]))) {
      const own = names.filter((name) => name.startsWith(`${p}.`)).map((n) => +n.split(".")[1]!);
      assert.deepEqual(own, own.toSorted((a, b) => a - b), "each producer's are in order");
    }
    const text = said.map(({ data }) => (data as { delta?: string }).delta ?? "").join("");
    const plain = said.filter(({ seriesId }) => seriesId === undefined).map(({ data }) => data);
    this.join(); // A late reader.
    for (const reader of this.#readers) {
      const seen = await reader;
      assert.equal(seen.text, text);
      assert.deepEqual(seen.plain, plain);
      assert.equal(seen.reason, "completed");
    }
    return log;
  }

  async #produce(number: number): Promise<void> {
    const taskcast = producer(this.#servers);
    for (let i = 0; !this.#stopped; i++) {
      const name = `${number}.${i}`;
      await taskcast.publishEvent(
        this.taskId,
        i % 5 === 0 ? { type: "n", data: { name } } : {
          type: "n",
          data: { name, delta: `${name};` },
          seriesId: "s",
          seriesMode: "accumulate",
        },
      );
      this.acknowledged.add(name);
    }
  }
}
