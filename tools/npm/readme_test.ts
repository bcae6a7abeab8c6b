import assert from "node:assert/strict";
import { readMembers } from "./members.ts";
import { readme } from "./readme.ts";

Deno.test("a README installs all that its example imports, and nothing twice", async () => {
  const member = (await readMembers()).find(({ name }) => name === "@taskcast/react")!;
  const imports = ["@taskcast/react", "@taskcast/core/protocol", "react", "ai/test", "node:fs"];
  const text = imports.map((name) => `import { a } from "${name}";`).join("\n");
  const [install] = /^npm install .*$/m.exec(readme(member, { summary: "", text }, new Map()))!;
  assert.equal(install, "npm install @taskcast/react react @taskcast/core ai");
});
