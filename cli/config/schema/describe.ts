import { z } from "zod";

// The words of the description in schema.ts. Each key stands there once; types, defaults, the
// environment, the command line, the JSON Schema and the reference page are derived from it.

/** Facts about one key of the configuration, in addition to its schema. */
export interface KeyFacts {
  /** The value in use where nothing is configured. */
  default?: unknown;
  /** The default in words, where it depends on something else. */
  defaultText?: string;
  /** The environment variable that sets it. */
  env?: string;
  /** Note on the variable, where its value differs from that of a file. */
  envNote?: string;
  /** The option of the command line that sets it. */
  flag?: Flag;
  /** Reads a variable's special values; `undefined` for others, which are read by the key's type. */
  parse?(text: string): unknown;
  /** The unit of the variable and the option, where it is not that of the key. */
  unit?: { size: number; max: number };
  /** Keys with the same purpose; the variable also replaces these if a file sets them. */
  replaces?: readonly string[];
}

/** An option of the command line. */
export interface Flag {
  /** The option as commander declares it: `-p, --port <port>`. */
  usage: string;
  /** Help text. @default that of the key */
  help?: string;
  /** The value of the option when it is given without one. */
  bare?: string;
  /** May be repeated; the values are joined by commas. */
  isList?: boolean;
}

/** Notes on a schema, for messages and for the generated types. */
export interface Annotation {
  /** The value must never be shown. */
  secret?: true;
  /** The expected value in words, where they cannot be derived from the schema. */
  expected?: string;
  /** The value is code: only TypeScript and JavaScript can provide it. */
  code?: true;
  /** The type in TypeScript, where it is one of core's. */
  type?: string;
  /** The name and the doc comment of the interface that is generated for an object. */
  named?: { name: string; text: string };
}

const keyFacts: z.core.$ZodRegistry<KeyFacts> = z.registry<KeyFacts>();
const annotations: z.core.$ZodRegistry<Annotation> = z.registry<Annotation>();

/** Describes an optional key: the values it accepts, its meaning in one sentence, and its facts. */
export function key<Schema extends z.ZodType>(
  schema: Schema,
  text: string,
  facts: KeyFacts = {},
): z.ZodOptional<Schema> {
  const optional = schema.optional().describe(text);
  keyFacts.add(optional, facts);
  return optional;
}

/** Returns the facts about a key. */
export function factsOf(schema: z.ZodType): KeyFacts {
  return keyFacts.get(schema) ?? {};
}

/** Returns the notes on a schema. */
export function annotationOf(schema: z.ZodType): Annotation {
  return annotations.get(schema) ?? {};
}

/** Marks a schema whose values must never be shown. */
export function secret<Schema extends z.ZodType>(schema: Schema): Schema {
  return annotated(schema, { secret: true });
}

/** Says in words which values a schema accepts. */
export function expecting<Schema extends z.ZodType>(schema: Schema, expected: string): Schema {
  return annotated(schema, { expected });
}

/** Gives a schema the name of its type in core. */
export function typed<Schema extends z.ZodType>(schema: Schema, type: string): Schema {
  return annotated(schema, { type });
}

/** Names the interface that is generated for an object. */
export function named<Schema extends z.ZodType>(
  schema: Schema,
  name: string,
  text: string,
): Schema {
  return annotated(schema, { named: { name, text } });
}

/** Returns the schema of a value that only a program can provide: a function or an instance. */
export function code<Type>(
  type: string,
  expected: string,
  check: (value: unknown) => boolean,
): z.ZodType<Type, Type> {
  const schema = z.custom<Type>(check) as unknown as z.ZodType<Type, Type>;
  return annotated(schema, { expected, code: true, type });
}

function annotated<Schema extends z.ZodType>(schema: Schema, annotation: Annotation): Schema {
  annotations.add(schema, { ...annotations.get(schema), ...annotation });
  return schema;
}
