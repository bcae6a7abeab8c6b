import { matchesType } from "@taskcast/core/adapter";
import { eventJson } from "@taskcast/core/internal";
import type { EventFilter, EventInput, Since } from "@taskcast/core/protocol";
import { escapeLineSeparators } from "@taskcast/core/protocol";
import { z } from "zod";

import { withoutIdleTimeout } from "../sse/idle_timeout.ts";
import { jsonAnswer, jsonResponse } from "../requests/json_answer.ts";
import { described } from "../openapi/described.ts";
import type { BodyLimits } from "../requests/body_limits.ts";
import { assertNotCompressed, mediaType, readJson } from "../requests/parse.ts";
import type { StreamSlots } from "../limits/mod.ts";
import { leaseOf, underLease } from "../requests/lease_header.ts";
import type { Router } from "../router.ts";
import { eventBody, eventSchema, receiptSchema } from "../schemas/event.ts";
import { once } from "../schemas/once.ts";
import type { SinceQuery } from "../schemas/query.ts";
import { allEventsQuery, historyQuery, streamQuery } from "../schemas/query.ts";
import { helloBytes, sseEncoder } from "../sse/encoder.ts";
import { eventStreamResponse } from "../sse/response.ts";
import { publishNdjson } from "./ndjson.ts";
import type { Services } from "./tasks.ts";

const NDJSON = "application/x-ndjson";
const CREATED = { status: 201 };

/** Part of the description of operations that answer with a stream; see `streamedRefusal()`. */
const FOR_NOW =
  "If `Accept` is exactly `text/event-stream`, a temporary refusal (429, 503) is a 200 " +
  "with `retry:` and a comment, since any other status closes a browser's EventSource for good.";

/** Adds publishing, streams and history. */
export function addEventRoutes(
  router: Router,
  { engine, gate, slots, bodyLimits, onOpened, onSent }: Services & {
    /** Slots for streams of readers, and for producers whose requests stay open. */
    slots: { reading: StreamSlots; publishing: StreamSlots };
    bodyLimits: BodyLimits;
    /** Called with each request for a stream. */
    onOpened: (request: Request) => void;
    /** Called with the number of bytes that streams hand to their sockets. */
    onSent: (bytes: number) => void;
  },
): void {
  router.add({
    method: "post",
    path: "/tasks/{id}/events",
    tag: "Events",
    summary: "Publish events",
    description:
      "One event, an array (stored as a whole or not at all), or a stream of lines, each committed soon " +
      "after it arrives. A bad line ends the stream with an error that says how much was stored.",
    scope: "event:publish",
    content: {
      "application/json": { schema: z.union([eventBody, z.array(eventBody)]) },
      [NDJSON]: { schema: described(z.string(), { description: "One event per line" }) },
    },
    errors: {
      409: "The task has ended, is full, or an event of this producer is missing",
      503: "The store is full or cannot be reached",
    },
    responses: {
      201: {
        description: "The stored event or events, or a receipt for a stream of lines",
        content: {
          "application/json": {
            schema: z.union([eventSchema, z.array(eventSchema), receiptSchema]),
          },
        },
      },
    },
  }, async ({ id, auth, caller, request, info, context }) => {
    if (mediaType(request) === NDJSON) {
      assertNotCompressed(request);
      const release = withoutIdleTimeout(context, slots.publishing.take(caller()));
      try {
        const receipt = await publishNdjson(engine, id, request, {
          maxLineBytes: bodyLimits.maxBytes,
          expiresAtMs: auth.expiresAtMs,
          lease: leaseOf(request),
          watchEnd: (onEnd) =>
            gate.withTask(
              auth,
              "event:publish",
              id,
              (at) => engine.openEndWatch(id, onEnd, at),
            ),
        });
        return jsonResponse(receipt, { status: 201 });
      } finally {
        release();
      }
    }
    const read = once(() => readJson(request, { ...bodyLimits, expiresAtMs: auth.expiresAtMs }));
    return await gate.withTask(auth, "event:publish", id, async (incarnation) => {
      const at = underLease(request, incarnation);
      const body = await read();
      if (!Array.isArray(body)) {
        const stored = await engine.appendEvent(id, body as EventInput, at);
        return jsonAnswer(info, eventJson(id, stored), CREATED);
      }
      const stored = await engine.appendEvents(id, body, at);
      const json = `[${stored.map((event) => eventJson(id, event)).join(",")}]`;
      return jsonAnswer(info, json, CREATED);
    });
  });

  router.add({
    method: "get",
    path: "/tasks/{id}/events",
    tag: "Events",
    summary: "Follow a task over SSE",
    description: "Stored events, then live ones, through the end. Resume after a lost connection " +
      "with the `Last-Event-ID` header or `lastEventId`. 204: the reader has everything, the end " +
      `included. ${FOR_NOW}`,
    scope: "event:subscribe",
    ticket: true,
    query: streamQuery,
    responses: {
      200: {
        description:
          "`taskcast.open`, then a `taskcast.event` for each event, then `taskcast.done`",
        content: { "text/event-stream": { schema: z.string() } },
      },
      204: { description: "The cursor is at the end: there is nothing more" },
    },
  }, async ({ id, auth, caller, query, request, context, info: { requestId } }) => {
    const { wrap = true, limit, seriesFormat } = query;
    const since = sinceOf(query, request.headers.get("last-event-id"), query.lastEventId);
    const options = { filter: filterOf(query), since, limit, seriesFormat };
    onOpened(request);
    const release = slots.reading.take(caller());
    const stream = await gate.withTask(
      auth,
      "event:subscribe",
      id,
      (at) => engine.openStream(id, { ...options, ...at }, sseEncoder(wrap)),
    ).catch((error) => {
      release();
      throw error;
    });
    if (stream.ended) {
      release();
      return new Response(null, { status: 204 });
    }
    return eventStreamResponse(stream, {
      request,
      expiresAtMs: auth.expiresAtMs,
      onSent,
      onError: (error) => engine.reportError(error, { operation: "sse", taskId: id, requestId }),
      onEnd: withoutIdleTimeout(context, release),
    });
  });

  router.add({
    method: "get",
    path: "/tasks/{id}/events/history",
    tag: "Events",
    summary: "Read a task's history",
    scope: "event:history",
    query: historyQuery,
    responses: {
      200: {
        description: 'Events in order; the header `Link` has `rel="next"` when there are more',
        content: { "application/json": { schema: z.array(eventSchema) } },
      },
    },
  }, async ({ id, auth, query, request }) => {
    const { limit, seriesFormat } = query;
    const options = { filter: filterOf(query), since: sinceOf(query), limit, seriesFormat };
    const { events, nextCursor } = await gate.withTask(
      auth,
      "event:history",
      id,
      (at) => engine.readEvents(id, { ...options, ...at }),
    );
    const headers = new Headers({ "content-type": "application/json" });
    if (nextCursor !== undefined) {
      // Relative to this request's own URL, so that it is right under any base path and host.
      const { searchParams } = new URL(request.url);
      for (const name of ["since.index", "since.timestamp"]) searchParams.delete(name);
      searchParams.set("since.id", nextCursor);
      headers.set("link", `<?${searchParams}>; rel="next"`);
    }
    const json = `[${events.map((event) => eventJson(id, event)).join(",")}]`;
    return new Response(escapeLineSeparators(json), { headers });
  });

  router.add({
    method: "get",
    path: "/events",
    tag: "Events",
    summary: "Follow all tasks over SSE",
    description: "Events of all tasks that the token may see, live from the moment " +
      `of connection, nothing is replayed. ${FOR_NOW}`,
    scope: "event:subscribe",
    query: allEventsQuery,
    responses: {
      200: {
        description: "A `taskcast.event` for each event",
        content: { "text/event-stream": { schema: z.string() } },
      },
    },
  }, async ({ auth, caller, query, request, context, info: { requestId } }) => {
    const { wrap = true, taskTypes = [], taskIds = [] } = query;
    onOpened(request);
    const release = slots.reading.take(caller());
    const stream = await engine.openStreamOfAll({
      filter: filterOf(query),
      visible: (task) =>
        gate.maySee(auth, task) &&
        (taskIds.length === 0 || taskIds.includes(task.id)) &&
        (taskTypes.length === 0 || matchesType(task.type ?? "", taskTypes)),
    }, sseEncoder(wrap)).catch((error) => {
      release();
      throw error;
    });
    return eventStreamResponse(stream, {
      request,
      expiresAtMs: auth.expiresAtMs,
      onEnd: withoutIdleTimeout(context, release),
      preamble: helloBytes,
      onSent,
      onError: (error) => engine.reportError(error, { operation: "sse of all tasks", requestId }),
    });
  });
}

function filterOf({ types, levels, includeStatus }: EventFilter): EventFilter {
  return { types, levels, includeStatus };
}

/**
 * Returns where to resume.
 *
 * @param reconnected Cursors that a client adds when it reconnects, in order of precedence. They go
 * before `since.id`: a client that reconnects repeats the URL, with the position where the page
 * began.
 */
function sinceOf(query: SinceQuery, ...reconnected: (string | null | undefined)[]): Since {
  for (const cursor of reconnected) if (cursor) return { id: cursor };
  return {
    id: query["since.id"],
    index: query["since.index"],
    timestamp: query["since.timestamp"],
  };
}
