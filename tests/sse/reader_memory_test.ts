import assert from "node:assert/strict";

Deno.test("a waiting reader takes less than 2 KiB of heap", async () => {
  // Runs in a process of its own, where garbage can be collected on demand: so the figure is a
  // count, the same within a few bytes each time.
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--v8-flags=--expose-gc", "testing/sse/reader_memory.ts"],
    cwd: new URL("../../", import.meta.url),
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  const bytes = Number(decoder.decode(stdout));
  // Twice in 2026 it was 6 and 3 KiB because of unnoticed generators, web streams and promises.
  assert(bytes > 500 && bytes < 2_048, `${bytes} bytes`);
});
