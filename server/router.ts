import { assertObject } from "@taskcast/core/internal";
import type { Scope } from "@taskcast/core/protocol";
import type { Context, Hono } from "hono";
import type { z } from "zod";
import type { AuthContext } from "./auth/mod.ts";
import type { RequestLimits } from "./limits/mod.ts";
import type { DocumentedOperation } from "./openapi/document.ts";
import type { BodyLimits } from "./requests/body_limits.ts";
import { assertForeign, parseQuery, queryOf } from "./requests/query_parameters.ts";
import { parse, readJson } from "./requests/parse.ts";
import type { ObservedRequests } from "./requests/observe_requests.ts";
import type { RequestInfo } from "./requests/request_info.ts";
import { taskId } from "./schemas/basics.ts";

/** One method of one path: its input, its answers and its permissions. */
export interface Operation<Query extends z.ZodType, Body extends z.ZodType>
  extends DocumentedOperation {
  /** Accepts a ticket in the query instead of a token. */
  ticket?: boolean;
  /**
   * Answers whatever the load and the query are: limits do not count it, and its query is not parsed.
   * For health and metrics, which are requested when a server is in trouble, and by probes that add
   * parameters of their own. @default {false}
   */
  alwaysAnswers?: boolean;
  query?: Query;
  body?: OperationBody<Body>;
}

/** The body of an operation. */
export interface OperationBody<Body extends z.ZodType = z.ZodType> {
  schema: Body;
  /** Treats an empty body as an empty object. @default {false} */
  optional?: boolean;
  /**
   * The engine checks the body, so the schema only documents it; the router requires an object.
   * @default {false}
   */
  isCheckedByEngine?: boolean;
}

/** A request that passed all checks. */
export interface Call<Query, Body> {
  request: Request;
  /** The task's id, or empty on paths without one. */
  id: string;
  query: Query;
  body: Body;
  /** The authenticated caller. */
  auth: AuthContext;
  info: RequestInfo;
  /**
   * Returns the key under which limits count the caller: a credential, else an address, if either
   * is known.
   */
  caller: () => string | undefined;
  context: Context;
}

/** Dependencies of {@linkcode Router}. */
export interface RouterOptions {
  /** Wraps each operation. */
  requests: ObservedRequests;
  authenticate: (request: Request) => AuthContext | Promise<AuthContext>;
  /** Authenticates by the ticket in the query. */
  authenticateTicket: (ticket: string, taskId: string) => Promise<AuthContext>;
  requireScope: (auth: AuthContext, scope: Scope) => void;
  limits: RequestLimits;
  bodyLimits: BodyLimits;
  /** Query parameters that belong to others and are ignored. */
  ignoredParameters: readonly string[];
}

/** Registers operations with the app, and collects them for the OpenAPI document. */
export class Router {
  readonly #app: Hono;
  readonly #options: RouterOptions;
  /** All operations, in the order in which they were added. */
  readonly operations: DocumentedOperation[] = [];

  constructor(app: Hono, options: RouterOptions) {
    this.#app = app;
    this.#options = options;
  }

  add<Query extends z.ZodType = z.ZodUndefined, Body extends z.ZodType = z.ZodUndefined>(
    operation: Operation<Query, Body>,
    handle: (call: Call<z.output<Query>, z.output<Body>>) => Response | Promise<Response>,
  ): void {
    this.operations.push(operation);
    const { method, path, scope, query, body, ticket, alwaysAnswers = false } = operation;
    const { requests, limits, requireScope, ignoredParameters } = this.#options;
    assertForeign(ignoredParameters, query);
    const hasId = path.includes("{id}");
    this.#app.on(
      method.toUpperCase(),
      path.replaceAll(/\{(\w+)\}/g, ":$1"),
      requests.handler(async (context, info) => {
        const request = context.req.raw;
        info.route = path;
        const addressOf = () => limits.addressOf(request, context);
        const address = limits.countsAddresses ? addressOf() : undefined;
        if (!alwaysAnswers) limits.countAddress(address);
        let id = "";
        if (hasId) info.taskId = id = parse(taskId, context.req.param("id"), "id");
        const params = queryOf(context.req);
        const auth = scope === undefined ? NOBODY : await limits.authenticate(
          address,
          () => this.#authenticate(request, id, ticket ? params.ticket?.[0] : undefined),
        );
        if (!alwaysAnswers) limits.countCredential(auth.credential);
        if (scope !== undefined) requireScope(auth, scope);
        return handle({
          request,
          id,
          query: alwaysAnswers ? undefined : parseQuery(query, params, ignoredParameters),
          body: body && await this.#readBody(request, body, auth),
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

  async #readBody(
    request: Request,
    { schema, optional, isCheckedByEngine }: OperationBody,
    { expiresAtMs }: AuthContext,
  ): Promise<unknown> {
    const value = await readJson(request, { ...this.#options.bodyLimits, optional, expiresAtMs });
    return isCheckedByEngine ? assertObject(value, "") : parse(schema, value);
  }

  #authenticate(
    request: Request,
    id: string,
    ticket: string | undefined,
  ): AuthContext | Promise<AuthContext> {
    const { authenticate, authenticateTicket } = this.#options;
    return ticket === undefined ? authenticate(request) : authenticateTicket(ticket, id);
  }
}

/** The caller of an operation that needs no authentication. */
const NOBODY: AuthContext = { taskIds: [], scope: [] };
