import assert from "node:assert/strict";
import { moduleDoc } from "./module_doc.ts";

Deno.test("npm: a package says of itself what its module says", () => {
  const source = `#!/usr/bin/env node
/**
 * Does a thing with \`code\`, over
 * two lines. And more.
 *
 * @example How
 * \`\`\`ts
 * thing();
 * \`\`\`
 *
 * @module
 */
/** Something else. */
export const a = 1;
`;
  assert.deepEqual(moduleDoc(source, "a"), {
    summary: "Does a thing with code, over two lines",
    text: "Does a thing with `code`, over\ntwo lines. And more.\n\n**How**\n\n```ts\nthing();\n```",
  });
  assert.throws(() => moduleDoc("/** Something. */\nexport {};\n", "a"), /a has no @module/);
});
