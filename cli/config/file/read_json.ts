import { visit } from "jsonc-parser";
import { SyntaxProblem } from "./syntax_problem.ts";

/** Maximum nesting; no configuration comes near it. */
const MAX_DEPTH = 100;

// Codes of the parser's `const enum`, which modules cannot import.
const COMMENT = 10;
const TEXT_PROBLEMS: readonly number[] = [12, 14, 15, 16];

/**
 * Reads JSON.
 *
 * @throws {SyntaxProblem} Also for duplicate keys. The runtime's own parser does not always tell line
 * and column, and quotes the text, which may contain secrets.
 */
export function readJson(file: string): unknown {
  const text = file.replace(/^\ufeff/, "");
  assertJson(text);
  return JSON.parse(text);
}

/** An object or a list that is not closed yet. */
interface Container {
  bracket: "}" | "]";
  /** Keys of an object so far. */
  keys: Set<string>;
}

/** Throws at the first syntax error or duplicate key. */
function assertJson(text: string): void {
  const open: Container[] = [];
  let expected: "key" | "colon" | "value" | "separator" = "value";

  visit(text, {
    onObjectBegin: (offset) => enter("}", offset),
    onArrayBegin: (offset) => enter("]", offset),
    onObjectProperty(key, offset) {
      const { keys } = open.at(-1)!;
      if (keys.has(key)) fail(offset, "this key is there twice");
      keys.add(key);
      expected = "colon";
    },
    onSeparator(character) {
      expected = character === "," && open.at(-1)?.bracket === "}" ? "key" : "value";
    },
    onLiteralValue: () => void (expected = "separator"),
    onObjectEnd: leave,
    onArrayEnd: leave,
    onError: (code, offset) => fail(offset, problem(code, offset)),
  }, { disallowComments: true });

  function enter(bracket: Container["bracket"], offset: number): void {
    if (open.length === MAX_DEPTH) fail(offset, "nested too deeply");
    open.push({ bracket, keys: new Set() });
    expected = bracket === "}" ? "key" : "value";
  }

  function leave(offset: number): void {
    const { bracket } = open.at(-1)!;
    if (text[offset] !== bracket) fail(offset, `"," or "${bracket}" is expected here`);
    open.pop();
    expected = "separator";
  }

  function problem(code: number, offset: number): string {
    if (code === COMMENT) return "comments are not JSON";
    if (TEXT_PROBLEMS.includes(code)) {
      return "this text is not closed, or has characters that must be escaped";
    }
    const bracket = open.at(-1)?.bracket;
    if (bracket !== undefined && text[offset] === bracket && /,\s*$/.test(text.slice(0, offset))) {
      return `a comma before "${bracket}" is not JSON`;
    }
    switch (expected) {
      case "key":
        return "a key in double quotes is expected here";
      case "colon":
        return '":" is expected here';
      case "value":
        return "a value is expected here";
      case "separator":
        return bracket === undefined
          ? "the configuration should end here"
          : `"," or "${bracket}" is expected here`;
    }
  }

  function fail(offset: number, message: string): never {
    const lines = text.slice(0, offset).split("\n");
    throw new SyntaxProblem(lines.length, lines.at(-1)!.length + 1, message);
  }
}
