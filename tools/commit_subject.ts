const TYPES = ["feat", "fix", "perf", "docs", "test", "refactor", "build", "ci", "chore", "revert"];
const FORM = new RegExp(`^(${TYPES.join("|")})(\\([a-z0-9_/-]+(,[a-z0-9_/-]+)*\\))?!?: (.+)$`);

/** Maximum length of a subject: what a log shows on one line. */
const MAX_LENGTH = 120;

/** Returns what is wrong with the subject of a commit, or `undefined` if it reads `type(scope): what`. */
export function subjectProblem(subject: string): string | undefined {
  const what = FORM.exec(subject)?.[4];
  if (what === undefined) {
    return `does not read "type(scope): what" with a type of ${TYPES.join(", ")}`;
  }
  if (what.endsWith(".")) return "ends with a period";
  if (subject.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`;
  return undefined;
}
