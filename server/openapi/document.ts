import type { Scope } from "@taskcast/core/protocol";
import { z } from "zod";
import { VERSION } from "../version.ts";
import { described } from "./described.ts";
import type { JsonSchema } from "./schemas.ts";
import { DocumentedSchemas } from "./schemas.ts";

/** Bodies by media type. */
export type Content = Readonly<Record<string, { schema: z.ZodType }>>;

/** One method of one path, as the document describes it. */
export interface DocumentedOperation {
  method: "get" | "post" | "patch" | "delete";
  /** In OpenAPI's notation: `/tasks/{id}`. */
  path: string;
  tag: "Tasks" | "Events" | "Webhooks" | "Server";
  summary: string;
  description?: string;
  /** The scope that callers need. Left out if none is needed. */
  scope?: Scope;
  query?: z.ZodType;
  /** A JSON body. */
  body?: { schema: z.ZodType; optional?: boolean };
  /** Bodies that the handler reads itself. */
  content?: Content;
  responses: Readonly<Record<number, { description: string; content?: Content }>>;
  /** Further errors, beside 400, 401, 403, 404 and 413 where these apply. */
  errors?: Readonly<Partial<Record<number, string>>>;
}

const errorSchema = described(
  z.object({
    error: z.object({ code: z.string(), message: z.string(), details: z.any().optional() }),
  }),
  "Error",
);

/**
 * Describes operations as OpenAPI 3.1, without the server's address.
 *
 * @param id Schema of `{id}` in paths.
 * @see https://spec.openapis.org/oas/v3.1.1.html
 */
export function openApiDocument(
  operations: readonly DocumentedOperation[],
  { id }: { id: z.ZodType },
): Record<string, unknown> {
  const schemas = new DocumentedSchemas();
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const path = paths[operation.path] ??= {};
    path[operation.method] = describe(operation, schemas, id);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Taskcast",
      version: VERSION,
      description: "Long-lived tasks, followed live by readers.",
    },
    paths,
    components: {
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
        serviceKey: { type: "apiKey", in: "header", name: "X-Taskcast-Service-Key" },
      },
      schemas: schemas.named,
    },
  };
}

function describe(operation: DocumentedOperation, schemas: DocumentedSchemas, id: z.ZodType) {
  const { tag, summary, scope } = operation;
  const description = [operation.description, scope && `Requires the scope \`${scope}\`.`]
    .filter(Boolean).join("\n\n");
  const parameters = [
    ...(hasId(operation) ? [parameter("path", "id", schemas.of(id), true)] : []),
    ...queryParameters(operation, schemas),
  ];
  const requestBody = bodyOf(operation, schemas);
  const responses = {
    ...Object.fromEntries(
      Object.entries(errorsOf(operation)).map(([status, description]) => [
        status,
        { description, content: { "application/json": { schema: schemas.of(errorSchema) } } },
      ]),
    ),
    ...Object.fromEntries(
      Object.entries(operation.responses).map(([status, { description, content }]) => [
        status,
        { description, ...(content && { content: contentOf(content, schemas) }) },
      ]),
    ),
  };
  return {
    tags: [tag],
    summary,
    ...(description && { description }),
    ...(scope && { security: [{ bearer: [] }, { serviceKey: [] }, {}] }),
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody && { requestBody }),
    responses,
  };
}

function hasId({ path }: DocumentedOperation): boolean {
  return path.includes("{id}");
}

function errorsOf(operation: DocumentedOperation): Partial<Record<number, string>> {
  const { scope, query, body, content, errors } = operation;
  const withId = hasId(operation);
  return {
    ...(withId || query || body || content
      ? { 400: "Invalid input; the message names the field" }
      : {}),
    ...(scope
      ? {
        401: "Missing or invalid credentials",
        403: "The token does not allow this",
        429: "Too many requests or streams; `Retry-After` says when to retry",
      }
      : {}),
    ...(withId ? { 404: "The task does not exist" } : {}),
    ...(body || content ? { 413: "Too large", 415: "Unsupported content type" } : {}),
    ...errors,
  };
}

function queryParameters({ query }: DocumentedOperation, schemas: DocumentedSchemas) {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = schemas.of(query) as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, schema]) =>
    parameter("query", name, schema, required.includes(name))
  );
}

function parameter(where: "path" | "query", name: string, schema: JsonSchema, required: boolean) {
  const { description } = schema;
  return { name, in: where, required, ...(description ? { description } : {}), schema };
}

function bodyOf({ body, content }: DocumentedOperation, schemas: DocumentedSchemas) {
  if (body !== undefined) {
    const { schema, optional } = body;
    return {
      required: !optional,
      content: contentOf({ "application/json": { schema } }, schemas),
    };
  }
  return content && { required: true, content: contentOf(content, schemas) };
}

function contentOf(content: Content, schemas: DocumentedSchemas) {
  return Object.fromEntries(
    Object.entries(content).map(([type, { schema }]) => [type, { schema: schemas.of(schema) }]),
  );
}
