import { maskUrl } from "../mask.ts";
import { annotationOf } from "./describe.ts";
import type { Schema } from "./walk.ts";
import { unwrapped } from "./walk.ts";

/** Characters of a value that a message shows. */
const MAX_SHOWN = 60;

/** Returns in words which values a schema accepts. */
export function expectedBy(schema: Schema): string {
  const { expected } = annotationOf(schema);
  if (expected !== undefined) return expected;
  switch (schema.type) {
    case "string":
      return (schema.minLength ?? 0) > 1
        ? `a text of at least ${schema.minLength} characters`
        : "a text";
    case "number":
      return expectedNumber(schema);
    case "boolean":
      return "true or false";
    case "enum":
      return `one of ${schema.options.join(", ")}`;
    case "array":
      return schema.element.type === "enum"
        ? `a list of ${schema.element.options.join(", ")}`
        : schema.element.type === "string"
        ? "a list of texts"
        : "a list";
    case "object":
      return `an object { ${Object.keys(schema.shape).join(", ")} }`;
    case "record":
      return "an object";
    case "union":
      return schema.options.map((option) => expectedBy(unwrapped(option))).join(" or ");
    default:
      return "something else";
  }
}

function expectedNumber({ minValue, maxValue, isInt }: Schema): string {
  const kind = isInt === true || Number.isSafeInteger(maxValue) ? "a whole number" : "a number";
  if (maxValue < Number.MAX_SAFE_INTEGER) return `${kind} from ${minValue} to ${maxValue}`;
  return `${kind}, ${minValue} or more`;
}

/** Describes a value that was found instead; of a secret it tells only the type. */
export function foundValue(value: unknown, isSecret: boolean): string {
  if (value === undefined) return "is missing";
  if (value === null) return "is empty";
  if (typeof value === "string") {
    if (value === "") return "is an empty text";
    if (isSecret) return "is a text that does not fit";
    const shown = maskUrl(value);
    const short = shown.length > MAX_SHOWN ? `${shown.slice(0, MAX_SHOWN)}…` : shown;
    return `is the text ${JSON.stringify(short)}`;
  }
  if (typeof value === "number") return isSecret ? "is a number" : `is the number ${value}`;
  if (typeof value === "boolean") return `is ${value}`;
  if (Array.isArray(value)) return value.length === 0 ? "is an empty list" : "is a list";
  if (typeof value === "function") return "is a function";
  return "is an object";
}
