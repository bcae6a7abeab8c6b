/** Where a file is not what its name says it is. Its message shows nothing of the file. */
export class SyntaxProblem extends Error {
  constructor(line: number, column: number, problem: string) {
    super(`line ${line}, column ${column}: ${problem}`);
  }
}
