import assert from "node:assert/strict";
import { startSentryEndpoint } from "../../../testing/servers/sentry_endpoint.ts";
import { assertDsn } from "../dsn.ts";
import { startSentry } from "../start.ts";

Deno.test("startSentry() refuses a malformed DSN without quoting it", async () => {
  const flaws: [dsn: unknown, flaw: RegExp][] = [
    [undefined, /it is missing/],
    ["", /it is missing/],
    ["5ec4e7", /does not begin with https/],
    ["ftp://5ec4e7@host/1", /does not begin with https/],
    ["https://host/1", /has no key/],
    ["https://5ec-4e7@host/1", /has no key/],
    ["https://5ec4e7@host", /a project number/],
    ["https://5ec4e7@host/5ec4e7", /a project number/],
    ["https://5ec4e7@host/1 ", /white space/],
    ["https://5ec4e7@ho$t/1", /host, port or path/],
  ];
  for (const [dsn, flaw] of flaws) {
    await assert.rejects(startSentry({ dsn: dsn as string }), (error) => {
      assert(error instanceof TypeError);
      assert.match(error.message, flaw);
      assert(!error.message.includes("5ec"));
      return true;
    });
  }
});

Deno.test("startSentry() accepts DSNs of sentry.io and of self-hosted servers", () => {
  assertDsn("https://0123456789abcdef@o123.ingest.de.sentry.io/4501");
  assertDsn("http://key:secret@sentry:9000/some/path/7");
  assertDsn("http://key@[::1]:9000/7");
});

for (const sdk of [undefined, "@sentry/deno", "@sentry/node"]) {
  Deno.test(`${sdk ?? "the built-in SDK"}, started by startSentry(), sends only the errors it is given`, async () => {
    await using sentry = startSentryEndpoint();
    const program = new URL("../../../testing/servers/start_sentry_program.ts", import.meta.url);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", program.pathname, ...(sdk === undefined ? [] : [sdk])],
      env: {
        NO_COLOR: "1",
        SENTRY_TEST_DSN: sentry.dsn,
        // These must have no effect.
        SENTRY_TRACES_SAMPLE_RATE: "1",
        SENTRY_SPOTLIGHT: "1",
      },
      signal: AbortSignal.timeout(60_000),
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert.deepEqual({ code, err: text(stderr) }, { code: 0, err: "" });
    assert.deepEqual(JSON.parse(text(stdout)), {
      flushed: true,
      integrations: ["LinkedErrors"],
      newListeners: [],
      fetchIsWrapped: false,
      consoleIsWrapped: false,
    });
    assert.deepEqual(sentry.types, ["event", "event"]);
    const [first, second] = sentry.events;
    assert.deepEqual(first.exception.values.map(({ value }: { value: string }) => value), [
      "the cause",
      "first",
    ]);
    assert.equal(first.environment, "staging");
    assert.equal(first.release, "1.2.3");
    assert.equal(first.breadcrumbs, undefined);
    assert.equal(first.user, undefined);
    assert.equal(first.request, undefined);
    assert.equal(second.exception.values[0].value, "second, sent by close()");
  });
}
