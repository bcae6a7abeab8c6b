/** A syntax error with its position. The message quotes nothing of the file, which may hold secrets. */
export class SyntaxProblem extends Error {
  constructor(line: number, column: number, problem: string) {
    super(`line ${line}, column ${column}: ${problem}`);
  }
}
