import { notOneOf } from "@taskcast/core/protocol";
import type { z } from "zod";

type Issue = z.core.$ZodIssue;

/** Descriptions of the types that zod expects. */
const KINDS: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "an integer",
  boolean: "true or false",
  array: "an array",
  object: "an object",
  record: "an object",
};

/** Describes an issue to API clients; zod's own messages are written for its users. */
export function problemOf(issue: Issue): string {
  const { input } = issue;
  // The schema sets its own message.
  if (issue.code === "custom" || issue.code === "unrecognized_keys") return issue.message;
  if (input === undefined) return "is missing";
  switch (issue.code) {
    case "invalid_type": {
      const kind = KINDS[issue.expected];
      return kind === undefined ? "is not valid" : `must be ${kind}, and is ${kindOf(input)}`;
    }
    case "invalid_value":
      return notOneOf(input, issue.values.map(String));
    case "too_small":
      return bound(issue, "at least", issue.minimum);
    case "too_big":
      return bound(issue, "at most", issue.maximum);
    case "invalid_format":
      if (issue.format === "url") return "must be an address such as https://example.com/hook";
      return issue.message;
    default:
      return "is not valid";
  }
}

function bound(
  issue: Issue & { origin: string; inclusive?: boolean },
  how: string,
  limit: unknown,
) {
  const { origin, inclusive = true, input } = issue;
  if (origin === "string") {
    return limit === 1
      ? "must not be empty"
      : `must have ${how} ${limit} characters, and has ${(input as string).length}`;
  }
  if (origin === "array") {
    return limit === 1 && how === "at least"
      ? "must not be empty"
      : `must have ${how} ${limit} items, and has ${(input as unknown[]).length}`;
  }
  if (inclusive) return `must be ${how} ${limit}`;
  return `must be ${how === "at least" ? "more" : "less"} than ${limit}`;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "number") return Number.isInteger(value) ? "a number" : `${value}`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
