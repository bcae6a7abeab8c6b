import type { TaskcastChat } from "@taskcast/ai";
import assert from "node:assert/strict";
import { documents } from "../../testing/texts/markdown.ts";

const kept = globalThis as typeof globalThis & { taskcastChat?: TaskcastChat };

/** Evaluates the routes of the guide for Next.js again, as a new module. */
async function evaluate(code: string): Promise<{
  chat: TaskcastChat;
  GET(request: Request): Promise<Response>;
}> {
  // Only a module with another address is evaluated again.
  const again = `${code}\n// ${crypto.randomUUID()}`;
  return await import(`data:application/typescript,${encodeURIComponent(again)}`);
}

Deno.test("docs/guides/ai-sdk.md: under next dev an answer continues and can be resumed after a file is saved", async () => {
  const guide = (await documents()).find(({ file }) => file === "docs/guides/ai-sdk.md")!;
  const { text } = guide.blocks.find(({ text }) => text.includes("[[...path]]/route.ts"))!;
  try {
    const before = await evaluate(text);
    const gate = Promise.withResolvers<void>();
    const answer = await before.chat.respond("c1", async function* () {
      yield "Half";
      await gate.promise;
      yield " and the rest";
    });
    const after = await evaluate(text);
    assert.notEqual(before.GET, after.GET, "the module was evaluated twice");
    assert.equal(before.chat, after.chat);
    const resumed = await after.GET(new Request("http://localhost/api/chat/c1/stream"));
    gate.resolve();
    assert.match(await resumed.text(), /Half.*and the rest.*\[DONE\]/s);
    await answer.text();
  } finally {
    delete kept.taskcastChat;
  }
});
