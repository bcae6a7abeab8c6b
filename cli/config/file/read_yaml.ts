import { LineCounter, parseDocument } from "yaml";
import { SyntaxProblem } from "./syntax_problem.ts";

/**
 * Reads YAML 1.2, with `<<` for merging.
 *
 * @throws {SyntaxProblem} With line and column.
 */
export function readYaml(text: string): unknown {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, merge: true });
  // An unknown tag is only a warning to the parser, but its value would not be what was meant.
  const flaw = document.errors[0] ?? document.warnings[0];
  if (flaw !== undefined) {
    const { line, col } = lineCounter.linePos(flaw.pos[0]);
    throw new SyntaxProblem(line, col, wordsOf(flaw));
  }
  try {
    return document.toJS();
  } catch (error) {
    // Aliases that are unknown, or so many that they would fill the memory.
    throw new SyntaxProblem(1, 1, (error as Error).message.replace(/: .*/s, ""));
  }
}

function wordsOf({ code, message }: { code: string; message: string }): string {
  switch (code) {
    case "DUPLICATE_KEY":
      return "this key is there twice";
    case "MULTIPLE_DOCS":
      return "a configuration is one document";
    case "TAB_AS_INDENT":
      return "a tab cannot indent; use spaces";
    default:
      // Some messages end with a quotation, which may be a secret.
      return message.replace(/: .*/s, "");
  }
}
