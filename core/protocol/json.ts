/** A value that JSON can carry. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | JsonValue[]
  | { [key: string]: JsonValue };

/** A JSON object whose members the caller chooses. */
// deno-lint-ignore no-explicit-any
export type JsonObject = Record<string, any>;
