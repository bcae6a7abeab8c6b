import { SyntaxProblem } from "./syntax_problem.ts";

/**
 * Reads JSON.
 *
 * @throws {SyntaxProblem} With line and column: the parser of the runtime does not always tell them,
 * and shows parts of the text, which may be secrets. Also for a key that is there twice.
 */
export function readJson(file: string): unknown {
  const text = file.replace(/^\ufeff/, "");
  const flaw = new Scanner(text).flaw();
  if (flaw === undefined) return JSON.parse(text);
  const before = text.slice(0, flaw.at).split("\n");
  throw new SyntaxProblem(before.length, before.at(-1)!.length + 1, flaw.problem);
}

interface Flaw {
  at: number;
  problem: string;
}

/** Levels of nesting; no configuration has so many. */
const MAX_DEPTH = 100;

/** Looks for the first flaw of a JSON text. */
class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  flaw(): Flaw | undefined {
    try {
      this.#value(0);
      if (this.#next() !== undefined) this.#fail("the configuration should end here");
      return undefined;
    } catch (flaw) {
      if (flaw instanceof Error) throw flaw;
      return flaw as Flaw;
    }
  }

  #value(depth: number): void {
    if (depth > MAX_DEPTH) this.#fail("nested too deeply");
    const next = this.#next();
    if (next === "{") return this.#members(depth);
    if (next === "[") return this.#items(depth);
    if (next === '"') return void this.#string();
    const word = /true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
    word.lastIndex = this.#at;
    const match = word.exec(this.#text);
    if (match === null) this.#fail("a value is expected here");
    this.#at = word.lastIndex;
  }

  #members(depth: number): void {
    const keys = new Set<string>();
    this.#at++;
    if (this.#next() === "}") return void this.#at++;
    for (;;) {
      if (this.#next() !== '"') this.#fail("a key in double quotes is expected here");
      const start = this.#at;
      const key = this.#string();
      if (keys.has(key)) {
        this.#at = start;
        this.#fail("this key is there twice");
      }
      keys.add(key);
      if (this.#next() !== ":") this.#fail('":" is expected here');
      this.#at++;
      this.#value(depth + 1);
      if (this.#ends("}")) return;
    }
  }

  #items(depth: number): void {
    this.#at++;
    if (this.#next() === "]") return void this.#at++;
    for (;;) {
      this.#value(depth + 1);
      if (this.#ends("]")) return;
    }
  }

  /** Whether a list ends here; else its next part begins. */
  #ends(bracket: string): boolean {
    const next = this.#next();
    if (next !== bracket && next !== ",") this.#fail(`"," or "${bracket}" is expected here`);
    this.#at++;
    if (next === bracket) return true;
    if (this.#next() === bracket) this.#fail(`a comma before "${bracket}" is not JSON`);
    return false;
  }

  #string(): string {
    // deno-lint-ignore no-control-regex
    const string = /"(?:[^"\\\u0000-\u001f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"/y;
    string.lastIndex = this.#at;
    const match = string.exec(this.#text);
    if (match === null) {
      this.#fail("this text is not closed, or has characters that must be escaped");
    }
    this.#at = string.lastIndex;
    return JSON.parse(match[0]);
  }

  #next(): string | undefined {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? "")) this.#at++;
    return this.#text[this.#at];
  }

  #fail(problem: string): never {
    throw { at: this.#at, problem } satisfies Flaw;
  }
}
