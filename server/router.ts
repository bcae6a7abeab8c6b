import type { OpenAPIHono, RouteConfig } from "@hono/zod-openapi";
import { z } from "@hono/zod-openapi";
import type { Scope } from "@taskcast/core/protocol";
import type { Context, Hono } from "hono";
import type { AuthContext } from "./auth/mod.ts";
import type { RequestLimits } from "./limits/mod.ts";
import { parse, readJson } from "./request.ts";
import type { ObservedRequests } from "./observe_requests.ts";
import type { RequestInfo } from "./request_info.ts";
import { taskId } from "./schemas/task.ts";

/** One method of one path: what it takes, what it answers, who may call it. */
export interface Operation<Query extends z.ZodType, Body extends z.ZodType> {
  method: "get" | "post" | "patch" | "delete";
  /** As in OpenAPI: `/tasks/{id}`. */
  path: string;
  tag: "Tasks" | "Events" | "Webhooks" | "Server";
  summary: string;
  description?: string;
  /** What a caller needs. Left out: anybody may call. */
  scope?: Scope;
  /** A ticket in the query is taken for a token. */
  ticket?: boolean;
  query?: Query;
  /** A JSON body. */
  body?: { schema: Body; optional?: boolean };
  /** Bodies that the handler reads by itself, for the document. */
  content?: Record<string, { schema: z.ZodType; description?: string }>;
  responses: RouteConfig["responses"];
  /** Further errors beside 400, 401, 403, 404 and 413 where these apply. */
  errors?: Partial<Record<number, string>>;
}

/** A request that has been checked. */
export interface Call<Query, Body> {
  request: Request;
  /** The task's id, or empty on paths without one. */
  id: string;
  query: Query;
  body: Body;
  /** Who calls. */
  auth: AuthContext;
  info: RequestInfo;
  /** Whom limits count it for: a credential, else an address, if either is known. */
  caller: () => string | undefined;
  context: Context;
}

/** What routes need of the app. */
export interface RouterOptions {
  /** What goes on around each operation. */
  requests: ObservedRequests;
  authenticate: (request: Request) => AuthContext | Promise<AuthContext>;
  /** Takes a ticket of the query for the token. */
  authenticateTicket: (ticket: string, taskId: string) => Promise<AuthContext>;
  requireScope: (auth: AuthContext, scope: Scope) => void;
  limits: RequestLimits;
  maxBodyBytes: number;
}

const errorSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), details: z.any().optional() }),
}).openapi("Error");

/** Registers operations with the app and, from the same description, with the document. */
export class Router {
  readonly #app: OpenAPIHono;
  readonly #options: RouterOptions;

  constructor(app: OpenAPIHono, options: RouterOptions) {
    this.#app = app;
    this.#options = options;
    app.openAPIRegistry.registerComponent("securitySchemes", "bearer", {
      type: "http",
      scheme: "bearer",
      bearerFormat: "JWT",
    });
    app.openAPIRegistry.registerComponent("securitySchemes", "serviceKey", {
      type: "apiKey",
      in: "header",
      name: "X-Taskcast-Service-Key",
    });
  }

  add<Query extends z.ZodType = z.ZodUndefined, Body extends z.ZodType = z.ZodUndefined>(
    operation: Operation<Query, Body>,
    handle: (call: Call<z.output<Query>, z.output<Body>>) => Response | Promise<Response>,
  ): void {
    this.#document(operation);
    const { method, path, tag, scope, query, body, ticket } = operation;
    const { requests, limits, requireScope, maxBodyBytes } = this.#options;
    // Health and metrics are asked for when a server is in trouble, and must not add to it.
    const limited = tag !== "Server";
    const hasId = path.includes("{id}");
    const hasQuery = query !== undefined || ticket === true;
    (this.#app as unknown as Hono).on(
      method.toUpperCase(),
      path.replaceAll(/\{(\w+)\}/g, ":$1"),
      requests.handler(async (context, info) => {
        const request = context.req.raw;
        info.route = path;
        const addressOf = () => limits.addressOf(request, context);
        const address = limits.countsAddresses ? addressOf() : undefined;
        if (limited) limits.countAddress(address);
        let id = "";
        if (hasId) info.taskId = id = parse(taskId, context.req.param("id"), "id");
        const params = hasQuery ? context.req.query() : {};
        const auth = scope === undefined ? NOBODY : await limits.authenticate(
          address,
          () => this.#authenticate(request, id, ticket ? params.ticket : undefined),
        );
        if (limited) limits.countCredential(auth.credential);
        if (scope !== undefined) requireScope(auth, scope);
        return handle({
          request,
          id,
          query: query && parse(query, params) as z.output<Query>,
          body: body && parse(
            body.schema,
            await readJson(request, { maxBytes: maxBodyBytes, optional: body.optional }),
          ) as z.output<Body>,
          auth,
          info,
          caller() {
            if (auth.credential !== undefined) return auth.credential;
            const from = address ?? addressOf();
            return from && `address:${from}`;
          },
          context,
        } as Call<z.output<Query>, z.output<Body>>);
      }),
    );
  }

  #authenticate(
    request: Request,
    id: string,
    ticket: string | undefined,
  ): AuthContext | Promise<AuthContext> {
    const { authenticate, authenticateTicket } = this.#options;
    return ticket === undefined ? authenticate(request) : authenticateTicket(ticket, id);
  }

  #document<Query extends z.ZodType, Body extends z.ZodType>(
    operation: Operation<Query, Body>,
  ): void {
    const { method, path, tag, summary, scope, query, body, content, responses } = operation;
    const hasId = path.includes("{id}");
    const errors: Partial<Record<number, string>> = {
      ...(hasId || query || body || content
        ? { 400: "Bad input; the message names the field" }
        : {}),
      ...(scope ? { 401: "No valid token", 403: "The token does not allow this" } : {}),
      ...(scope
        ? { 429: "Too many requests or streams; `Retry-After` says when to come again" }
        : {}),
      ...(hasId ? { 404: "No such task" } : {}),
      ...(body || content ? { 413: "Too large", 415: "Not a known content type" } : {}),
      ...operation.errors,
    };
    const description = [operation.description, scope && `Needs the scope \`${scope}\`.`]
      .filter(Boolean).join("\n\n");
    this.#app.openAPIRegistry.registerPath({
      method,
      path,
      tags: [tag],
      summary,
      ...(description && { description }),
      ...(scope ? { security: [{ bearer: [] }, { serviceKey: [] }, {}] } : {}),
      request: {
        ...(hasId ? { params: z.object({ id: taskId }) } : {}),
        ...(query ? { query: query as unknown as z.ZodObject } : {}),
        ...(body
          ? {
            body: {
              required: !body.optional,
              content: { "application/json": { schema: body.schema } },
            },
          }
          : content
          ? { body: { required: true, content } }
          : {}),
      },
      responses: {
        ...Object.fromEntries(
          Object.entries(errors).map(([status, description]) => [status, {
            description: description!,
            content: { "application/json": { schema: errorSchema } },
          }]),
        ),
        ...responses,
      },
    });
  }
}

/** Who calls an operation that anybody may call. */
const NOBODY: AuthContext = { taskIds: [], scope: [] };
