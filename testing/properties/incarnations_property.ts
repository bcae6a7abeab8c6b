import assert from "node:assert/strict";
import fc from "fast-check";
import { MemoryBroadcastProvider, TaskEngine } from "@taskcast/core";
import { delayReads } from "@taskcast/core/conformance";
import type { TaskEvent } from "@taskcast/core/protocol";
import { decodeCursor } from "@taskcast/core/protocol";
import { createTaskcastApp } from "@taskcast/server";
import { createParser } from "eventsource-parser";
import type { Stores } from "./subscribe_property.ts";
import { runs } from "./runs.ts";

// Property of incarnations: an id is deleted and created again at random, each time with rules that
// admit one user, the other, or both. Meanwhile users publish, change and read on two instances
// that do not hear of each other's deletions. Everything stored in an incarnation, and everything
// seen of it, is by and for users whom its rules admit; and every refusal comes from an incarnation
// that existed.

const USERS = ["ann", "bob"] as const;
type User = (typeof USERS)[number];

const rest = fc.nat({ max: 3 });
const planArb = fc.record({
  allows: fc.constantFrom<readonly User[]>(["ann"], ["bob"], ["ann", "bob"]),
  instance: fc.nat({ max: 1 }),
  /** Turns until it is deleted, and from then until the next one is created. */
  lasts: fc.nat({ max: 12 }),
  isGone: rest,
});
const actorArb = fc.record({
  user: fc.constantFrom(...USERS),
  instance: fc.nat({ max: 1 }),
  does: fc.constantFrom("publish", "publish many", "publish lines", "read", "follow", "change"),
  times: fc.integer({ min: 1, max: 6 }),
  rest,
});

type Plan = typeof planArb extends fc.Arbitrary<infer T> ? T : never;
type Actor = typeof actorArb extends fc.Arbitrary<infer T> ? T : never;

/** An incarnation, and the ticks between which it may have existed. */
interface Incarnation {
  id: string;
  allows: readonly User[];
  from: number;
  to: number;
  isDeleted: boolean;
}

/** A request with its answer, and the ticks between which it was made. */
interface Request {
  user: User;
  status: number;
  from: number;
  to: number;
}

const overlaps = (a: { from: number; to: number }, b: { from: number; to: number }) =>
  a.from <= b.to && b.from <= a.to;

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

/** One run: its world, and what was observed. */
class Run {
  /** Stores may be shared with other runs. */
  readonly id = crypto.randomUUID();
  readonly #apps;
  readonly engines: TaskEngine[];
  readonly incarnations: Incarnation[] = [];
  /** Ticks between which the task may not have existed. */
  readonly gaps: { from: number; to: number }[] = [];
  readonly requests: Request[] = [];
  /** Events by their publishers' numbers: the incarnations in which each was seen, and where. */
  readonly seen = new Map<number, Set<string>>();
  /** Acknowledged numbers, with their index and request. */
  readonly acknowledged = new Map<number, { index: number; request: Request }>();
  /** The numbers of each request with several lines. */
  readonly together: number[][] = [];
  #tick = 0;
  #numbers = 0;

  constructor({ broadcast = new MemoryBroadcastProvider(), shortTerm, longTerm }: Stores) {
    this.engines = [0, 1].map(() =>
      new TaskEngine({
        broadcast,
        shortTermStore: delayReads(shortTerm),
        longTermStore: longTerm && delayReads(longTerm),
        options: { pageSize: 3, pollMs: 3, archiveDelayMs: 1, hotRetentionMs: 1 },
      })
    );
    this.#apps = this.engines.map((engine) =>
      createTaskcastApp({
        engine,
        auth: {
          mode: "custom",
          authenticate: (request) => ({
            sub: request.headers.get("authorization")!,
            taskIds: "*",
            scope: ["*"],
          }),
        },
      })
    );
  }

  tick(): number {
    return ++this.#tick;
  }

  event(user: User): { type: string; data: { by: User; n: number } } {
    return { type: "n", data: { by: user, n: this.#numbers++ } };
  }

  async send(
    { user, instance }: Actor,
    path: string,
    init: RequestInit & { duplex?: "half" } = {},
  ): Promise<{ response: Response; request: Request }> {
    const from = this.tick();
    const headers = new Headers(init.headers);
    headers.set("authorization", user);
    const response = await this.#apps[instance]!.request(`/tasks/${this.id}${path}`, {
      ...init,
      headers,
    });
    const request = { user, status: response.status, from, to: this.tick() };
    this.requests.push(request);
    return { response, request };
  }

  /** Records that an event was seen in an incarnation. */
  saw(incarnation: string, { index, data }: TaskEvent): void {
    const { by, n } = data as { by: User; n: number };
    const found = this.incarnations.find(({ id }) => id === incarnation);
    assert(found?.allows.includes(by), "events of an incarnation are by users that it admits");
    const places = this.seen.get(n) ?? new Set();
    this.seen.set(n, places.add(`${incarnation} ${index}`));
    assert.equal(places.size, 1, "an event is in one place");
    const known = this.acknowledged.get(n);
    if (known !== undefined) assert.equal(known.index, index);
  }
}

/** Creates and deletes. The last incarnation stays, and is completed when everybody is done. */
async function recreate(run: Run, plans: readonly Plan[]): Promise<void> {
  const { id } = run;
  let gap = { from: run.tick(), to: Infinity };
  run.gaps.push(gap);
  for (const [i, { allows, instance, lasts, isGone }] of plans.entries()) {
    const engine = run.engines[instance]!;
    const from = run.tick();
    const rules = [{ match: { scope: ["*" as const] }, require: { sub: [...allows] } }];
    await engine.createTask({ id, authConfig: { rules } });
    const task = (await engine.readTask(id))!;
    const current = { id: task.incarnation, allows, from, to: Infinity, isDeleted: false };
    run.incarnations.push(current);
    gap.to = run.tick();
    if (i === plans.length - 1) return;
    await turns(lasts);
    gap = { from: run.tick(), to: Infinity };
    run.gaps.push(gap);
    current.isDeleted = true;
    await engine.deleteTask(id);
    current.to = run.tick();
    await turns(isGone);
  }
}

const POST = { method: "POST", headers: { "content-type": "application/json" } };

async function act(run: Run, actor: Actor): Promise<void> {
  const { user, does, times, rest } = actor;
  if (does === "publish lines") return await sendLines(run, actor);
  for (let i = 0; i < times; i++) {
    if (does === "publish" || does === "publish many") {
      const events = does === "publish" ? [run.event(user)] : [run.event(user), run.event(user)];
      const body = JSON.stringify(does === "publish" ? events[0] : events);
      const { response, request } = await run.send(actor, "/events", { ...POST, body });
      const answer = await response.json();
      if (response.status !== 201) continue;
      for (const { index, data } of [answer].flat() as TaskEvent[]) {
        run.acknowledged.set((data as { n: number }).n, { index, request });
      }
    } else if (does === "change") {
      const body = JSON.stringify({ status: i % 2 === 0 ? "running" : "paused" });
      const { response } = await run.send(actor, "/status", { ...POST, method: "PATCH", body });
      await response.body?.cancel();
    } else if (does === "read") {
      const { response } = await run.send(actor, "/events/history?includeStatus=false");
      await response.body?.cancel();
    } else await follow(run, actor);
    await turns(rest);
  }
}

async function sendLines(run: Run, actor: Actor): Promise<void> {
  const numbers: number[] = [];
  run.together.push(numbers);
  let left = actor.times;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await turns(actor.rest + 1);
      if (left-- === 0) return controller.close();
      const event = run.event(actor.user);
      numbers.push(event.data.n);
      controller.enqueue(new TextEncoder().encode(`${JSON.stringify(event)}\n`));
    },
  }, { highWaterMark: 0 });
  const headers = { "content-type": "application/x-ndjson" };
  const init = { method: "POST", headers, body, duplex: "half" } as const;
  const { response } = await run.send(actor, "/events", init);
  await response.body?.cancel();
}

/**
 * Follows to the end, and checks that all events belong to one incarnation that admits the reader.
 */
async function follow(run: Run, actor: Actor): Promise<void> {
  const { response, request } = await run.send(actor, "/events?includeStatus=false");
  if (response.status !== 200) return void await response.body?.cancel();
  let followed: Incarnation | undefined;
  let next = 0;
  let done: string | undefined;
  const parser = createParser({
    onEvent({ event, id, data }) {
      if (id === undefined) return;
      const { incarnation } = decodeCursor(id)!;
      followed ??= run.incarnations.find(({ id }) => id === incarnation);
      assert.equal(incarnation, followed!.id, "a stream shows one incarnation");
      assert(
        followed!.allows.includes(actor.user),
        "an incarnation is shown to users that it admits",
      );
      if (event === "taskcast.done") done = JSON.parse(data).reason;
      if (event !== "taskcast.event") return;
      const envelope = JSON.parse(data);
      assert.equal(envelope.filteredIndex, next++, "nothing is left out");
      run.saw(incarnation, { ...envelope, index: envelope.rawIndex });
    },
  });
  const decoder = new TextDecoder();
  for await (const chunk of response.body!) parser.feed(decoder.decode(chunk, { stream: true }));
  if (done === "deleted") assert(followed === undefined || followed.isDeleted);
  else {
    assert.equal(done, "completed");
    const [engine] = run.engines;
    const { events } = await engine!.getEvents(run.id, { filter: { includeStatus: false } });
    assert.equal(next, events.length, "who saw the end saw everything");
  }
  request.to = Math.max(request.to, request.from);
}

/** Asserts the properties of a finished run. */
async function judge(run: Run): Promise<void> {
  for (const request of run.requests) {
    const { user, status } = request;
    const met = run.incarnations.filter((one) => overlaps(one, request));
    const letsIn = met.some(({ allows }) => allows.includes(user));
    const isKeptOut = met.some(({ allows }) => !allows.includes(user));
    const isGone = run.gaps.some((gap) => overlaps(gap, request));
    if (status === 403) assert(isKeptOut, "a refusal comes from an incarnation that existed");
    else if (status === 404) assert(isGone, "what is not found was not there");
    else {
      assert([200, 201, 409].includes(status), String(status));
      assert(letsIn, "access comes from an incarnation that existed");
    }
  }
  const last = run.incarnations.at(-1)!;
  const { events } = await run.engines[1]!.getEvents(run.id, {
    filter: { includeStatus: false },
    limit: 10_000,
  });
  for (const event of events) run.saw(last.id, event);
  const kept = new Set(events.map(({ data }) => (data as { n: number }).n));
  const lastGap = run.gaps.at(-1)!;
  for (const [n, { request }] of run.acknowledged) {
    if (request.from > lastGap.to) assert(kept.has(n), "what was acknowledged is there");
  }
  for (const numbers of run.together) {
    const incarnations = new Set(
      numbers.flatMap((n) => [...run.seen.get(n) ?? []]).map((place) => place.split(" ")[0]),
    );
    assert(incarnations.size <= 1, "the lines of a request are in one incarnation");
  }
}

async function check(
  stores: Stores,
  plans: readonly Plan[],
  actors: readonly Actor[],
): Promise<void> {
  const run = new Run(stores);
  try {
    const acting = actors.map((actor) => act(run, actor));
    const followers = Promise.all(acting.filter((_, i) => actors[i]!.does === "follow"));
    followers.catch(() => {}); // Awaited below; until then another assertion may fail first.
    await Promise.all([
      recreate(run, plans),
      ...acting.filter((_, i) => actors[i]!.does !== "follow"),
    ]);
    const [engine] = run.engines;
    await engine!.transitionTask(run.id, "running").catch(() => {}); // It may be running already.
    await engine!.transitionTask(run.id, "completed");
    await followers;
    await judge(run);
  } finally {
    await Promise.all(run.engines.map((engine) => engine.close()));
    const { broadcast, shortTerm, longTerm } = stores;
    await Promise.all([broadcast?.close(), shortTerm.close(), longTerm?.close()]);
  }
}

/**
 * Registers the test for a store.
 *
 * @param runs Number of interleavings to try; `deno task test:soak` tries more.
 */
export function testIncarnations(
  { name, open, runs: count }: {
    name: string;
    open: () => Stores | Promise<Stores>;
    runs: number;
  },
): void {
  Deno.test(`${name}: rights and requests belong to one incarnation, whenever an id is deleted and created again`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(planArb, { minLength: 1, maxLength: 6 }),
        fc.array(actorArb, { minLength: 1, maxLength: 6 }),
        async (plans, actors) => await check(await open(), plans, actors),
      ),
      { numRuns: runs(count) },
    );
  });
}
