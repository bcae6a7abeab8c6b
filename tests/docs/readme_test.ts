import assert from "node:assert/strict";
import type { Hono } from "hono";
import { documents } from "../../testing/texts/markdown.ts";

const all = await documents();

for (const file of ["README.md", "README.zh.md"]) {
  Deno.test({
    name: `${file}: the embedded app takes requests for as long as the process runs`,
    sanitizeOps: false, // It closes nothing, like programs that end with their process.
    sanitizeResources: false,
    async fn() {
      const { blocks } = all.find((document) => document.file === file)!;
      const { text } = blocks.find(({ text }) => text.includes("export default app"))!;
      const { default: app }: { default: Hono } = await import(
        `data:application/typescript,${encodeURIComponent(text)}`
      );
      const { tasks } = await (await app.request("/taskcast/tasks")).json();
      const created = await app.request("/taskcast/tasks", { method: "POST" });
      assert.deepEqual([tasks.length, tasks[0].status, created.status], [1, "completed", 201]);
    },
  });
}

Deno.test("README has the same content in both languages", () => {
  const [english, chinese] = ["README.md", "README.zh.md"].map((file) => {
    const { text, blocks } = all.find((document) => document.file === file)!;
    const code = /^```[\s\S]*?^```/gm;
    return {
      outline: [...text.replaceAll(code, "").matchAll(/^(#+ |- |\|)/gm)].map(([, mark]) => mark),
      packages: [...text.matchAll(/^\| `(@?taskcast[^`]*)`/gm)].map(([, name]) => name),
      links: new Set(
        [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].map(([, target]) => target!.replace(".zh", "")),
      ),
      blocks: blocks.map(({ language }) => language),
    };
  });
  assert.deepEqual(chinese, english);
});
