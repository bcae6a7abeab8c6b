import assert from "node:assert/strict";
import type { LogFormat } from "./logger.ts";
import { createLogger, logFormatOf } from "./logger.ts";

function logged(format: LogFormat): string[] {
  const lines: string[] = [];
  const terminal = {
    note: (line: string) => void lines.push(line),
    paint: (_: unknown, text: string) => text,
  };
  const log = createLogger(terminal, { level: "info", format, now: () => 1_700_000_000_000 });
  log.debug("left out");
  log.info("it\nstarts", { requestId: "r", status: 200, taskId: undefined });
  log.error('a "bad" one');
  return lines;
}

Deno.test("createLogger() writes for people, or a JSON object a line", () => {
  assert.deepEqual(logged("pretty"), ["info  it\nstarts", 'error a "bad" one']);
  assert.deepEqual(logged("json"), [
    '{"time":"2023-11-14T22:13:20.000Z","level":"info","msg":"it\\nstarts","requestId":"r","status":200}',
    '{"time":"2023-11-14T22:13:20.000Z","level":"error","msg":"a \\"bad\\" one"}',
  ]);
});

Deno.test("logFormatOf() takes the named format, else the one that suits the terminal", () => {
  assert.equal(logFormatOf(undefined, { isTty: true }), "pretty");
  assert.equal(logFormatOf("", { isTty: false }), "json");
  assert.equal(logFormatOf("json", { isTty: true }), "json");
  assert.equal(logFormatOf("pretty", { isTty: false }), "pretty");
  // Where settings are read it is an error, which is reported in some format.
  assert.equal(logFormatOf("xml", { isTty: true }), "pretty");
});
