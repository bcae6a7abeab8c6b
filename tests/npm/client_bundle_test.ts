import assert from "node:assert/strict";
import * as client from "@taskcast/client";
import { bundleClient, gzippedBytes } from "../../tools/bundle_client.ts";

/** 10 KB; docs/performance.md says how much of it is used. */
const MAX_GZIPPED_BYTES = 10_000;

Deno.test("the client as one file: small, complete, and without dependencies", async () => {
  const text = await bundleClient();
  const bytes = await gzippedBytes(text);
  assert(bytes < MAX_GZIPPED_BYTES, `${bytes} bytes, gzipped`);
  assert(!/\bimport\b/.test(text), "it imports nothing");
  const bundled = await import(`data:text/javascript,${encodeURIComponent(text)}`);
  assert.deepEqual(Object.keys(bundled).sort(), Object.keys(client).sort());
  const documented = await Deno.readTextFile(new URL("../../docs/performance.md", import.meta.url));
  const [, kilobytes] = /\| `taskcast-client\.min\.js`, gzipped +\| ([\d.]+) kB/.exec(documented)!;
  assert(Math.abs(Number(kilobytes) - bytes / 1000) < 0.3, `${bytes} is not ${kilobytes} kB`);
});
