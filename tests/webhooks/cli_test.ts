import assert from "node:assert/strict";
import { TaskcastServerClient } from "@taskcast/server-sdk";
import { createWebhookSender } from "@taskcast/server/webhooks";
import { runCli } from "../../testing/servers/cli.ts";
import { until } from "../../testing/sse/sse.ts";
import { startServer } from "../../testing/servers/test_server.ts";
import { withReceiver } from "../../testing/servers/webhook_receiver.ts";

// `taskcast webhooks` against a real server and a failing receiver.

const KEY = "0123456789abcdef";

/** Runs the command against a server whose receiver fails until it is healed. */
async function withFailing(
  use: (given: {
    taskcast: (...args: string[]) => ReturnType<typeof runCli>;
    /** Creates a task with this many failed deliveries at each of this many webhooks. */
    fail: (taskId: string, options?: { events?: number; hooks?: number }) => Promise<void>;
    /** Makes the receiver accept everything from now on. */
    heal: () => void;
    received: { path: string }[];
    url: string;
  }) => Promise<void>,
): Promise<void> {
  let status = 500;
  await withReceiver(() => status, async (receiver) => {
    const sender = createWebhookSender({ allowPrivate: true });
    await using server = startServer({ engine: { webhooks: { sender } } });
    const client = new TaskcastServerClient({ baseUrl: server.url });
    await use({
      url: server.url,
      received: receiver.received,
      taskcast: (...args) => runCli(["webhooks", ...args], { TASKCAST_URL: server.url }),
      heal: () => void (status = 204),
      async fail(id, { events = 1, hooks = 1 } = {}) {
        await client.createTask({
          id,
          webhooks: Array.from({ length: hooks }, (_, i) => ({
            url: `${receiver.url}/${id}/${i}?key=hush`,
            retry: { retries: 0 },
          })),
        });
        for (let i = 0; i < events; i++) await client.publishEvent(id, { type: "n", data: i });
        await until(async () => {
          const webhooks = (await server.call("GET", `/tasks/${id}/webhooks`)).body;
          return webhooks.every((one: { failed: { count: number }[] }) =>
            one.failed.reduce((sum, { count }) => sum + count, 0) === events
          );
        }, "all deliveries are abandoned");
      },
    });
    sender.close();
  });
}

Deno.test("webhooks list shows abandoned deliveries, as a table or as lines of JSON", async () => {
  await withFailing(async ({ taskcast, fail }) => {
    assert.deepEqual(await taskcast("list"), {
      code: 0,
      out: "",
      err: "There are no failed deliveries\n",
    });
    await fail("first", { events: 3 });
    await fail("second", { hooks: 2 });
    const { code, out, err } = await taskcast("list");
    assert.deepEqual([code, err], [0, ""]);
    const rows = out.trimEnd().split("\n").map((line) => line.split(/ {2,}/));
    assert.deepEqual(rows[0], ["TASK", "WEBHOOK", "EVENTS", "FAILED AT", "URL", "REASON"]);
    assert.deepEqual(rows.slice(1).map(([task, hook, events]) => [task, hook, events]), [
      ["first", "0", "3 (0-2)"],
      ["second", "0", "0"],
      ["second", "1", "0"],
    ]);
    assert.match(rows[1]![3]!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    assert.match(rows[1]![4]!, /\/first\/0$/);
    assert.match(rows[1]![5]!, /500/);
    assert(!out.includes("hush"));

    const json = await taskcast("list", "--json");
    const [first, ...others] = json.out.trimEnd().split("\n").map((line) => JSON.parse(line));
    const { url, error, at, ...rest } = first;
    assert.deepEqual(rest, { taskId: "first", hook: "0", from: 0, through: 2, count: 3 });
    assert.match(url, /\/first\/0$/);
    assert.match(error, /500/);
    assert(Number.isInteger(at));
    assert.deepEqual(others.map(({ taskId, hook }) => [taskId, hook]), [
      ["second", "0"],
      ["second", "1"],
    ]);

    const some = await taskcast("list", "--limit", "1", "--json");
    assert.equal(some.out.trimEnd().split("\n").length, 1);
    assert.equal(some.err, "There are more than 1 tasks; --limit shows more\n");
  });
});

Deno.test("webhooks retry tries a webhook, a task, or everything again", async () => {
  await withFailing(async ({ taskcast, fail, heal, received }) => {
    await fail("a", { events: 3, hooks: 2 });
    await fail("b");
    await fail("c");
    heal();
    received.length = 0;
    const paths = () => received.map(({ path }) => path).sort();
    assert.deepEqual(await taskcast("retry", "a", "1"), {
      code: 0,
      out: "a, webhook 1: 3 deliveries again\n",
      err: "",
    });
    await until(() => received.length === 3, "they have come");
    assert.deepEqual(paths(), ["/a/1", "/a/1", "/a/1"]);

    received.length = 0;
    const ofTask = await taskcast("retry", "a");
    assert.equal(ofTask.out, "a, webhook 0: 3 deliveries again\n");
    await until(() => received.length === 3, "the rest of the task has come");
    assert.deepEqual(paths(), ["/a/0", "/a/0", "/a/0"]);

    received.length = 0;
    const all = await taskcast("retry", "--all");
    assert.equal(all.out, "b, webhook 0: 1 delivery again\nc, webhook 0: 1 delivery again\n");
    await until(() => received.length === 2, "the others have come");
    assert.deepEqual(paths(), ["/b/0", "/c/0"]);

    for (const args of [["--all"], ["a"], ["a", "0"]]) {
      assert.deepEqual(await taskcast("retry", ...args), {
        code: 0,
        out: "",
        err: "There are no failed deliveries to retry\n",
      });
    }
    assert.equal((await taskcast("list")).out, "");
  });
});

Deno.test("webhooks retry --all goes through all pages once, even if everything fails again", async () => {
  await withFailing(async ({ taskcast, fail }) => {
    const ids = Array.from({ length: 60 }, (_, i) => `t${i}`); // More than a page.
    await Promise.all(ids.map((id) => fail(id)));
    const { code, out } = await taskcast("retry", "--all");
    assert.equal(code, 0);
    const told = out.trimEnd().split("\n").map((line) => line.split(",")[0]!);
    assert.deepEqual(told.sort(), ids.sort());
  });
});

Deno.test("webhooks: errors are one line, and the token is sent", async () => {
  await withFailing(async ({ taskcast }) => {
    const cases: [string[], number, RegExp][] = [
      [["retry", "none"], 1, /^error: .*none.*\n$/],
      [["retry", "none", "0"], 1, /^error: .*none.*\n$/],
      [["retry"], 2, /^error: name a task, or give --all\n/],
      [["retry", "a", "--all"], 2, /^error: name a task, or give --all\n/],
      [["list", "--limit", "0"], 2, /--limit must be a number from 1 to 100000/],
      [["list", "--url", "ftp://x"], 1, /^error: --url must begin with http/],
      [
        ["list", "--url", "http://me:hush@x"],
        1,
        /^error: --url must have no user name and no password/,
      ],
      [["list", "--url", "http://127.0.0.1:1"], 1, /^error: cannot reach the server at http/],
    ];
    await Promise.all(cases.map(async ([args, expected, message]) => {
      const { code, out, err } = await taskcast(...args);
      assert.deepEqual([code, out], [expected, ""], err);
      assert.match(err, message);
    }));
  });
  await using server = startServer({
    app: {
      auth: {
        mode: "custom",
        authenticate: (request) =>
          request.headers.get("authorization") === `Bearer ${KEY}`
            ? { taskIds: "*", scope: ["*"] }
            : null,
      },
    },
  });
  const list = ["webhooks", "list", "--url", server.url];
  const [refused, letIn] = await Promise.all([
    runCli(list),
    runCli(list, { TASKCAST_TOKEN: KEY }),
  ]);
  assert.equal(refused.code, 1);
  assert.equal(
    refused.err,
    `error: the server at ${server.url} requires a token: --token or TASKCAST_TOKEN\n`,
  );
  assert.equal(letIn.code, 0);
});
