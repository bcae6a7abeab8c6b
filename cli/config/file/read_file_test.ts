import assert from "node:assert/strict";
import { oneLine } from "./read_file.ts";

Deno.test("a parser's error is shown in one line, with its position", () => {
  const cases: [message: string, told: string][] = [
    [
      "ParseError: Unexpected token  \n /a b/taskcast.config.ts:3:5",
      "ParseError: Unexpected token (line 3, column 5)",
    ],
    ["x is not defined", "x is not defined"],
    ["Cannot find module 'x'\nRequire stack:\n- /a.ts", "Cannot find module 'x'"],
  ];
  for (const [message, told] of cases) assert.equal(oneLine(message), told);
});
