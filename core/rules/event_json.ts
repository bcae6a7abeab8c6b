import type { StoredEvent } from "../contracts/records.ts";
import type { TaskEvent } from "../protocol/event.ts";
import { DEFAULT_ACC_FIELD } from "../protocol/event.ts";
import { eventId } from "../protocol/ulid.ts";

// `data` is JSON text already, so an event is written by joining texts: nothing is parsed or
// stringified again on the way from a producer to its readers.

/** The id of a stored event. */
export function idOf(event: StoredEvent): string {
  return eventId(event.timestamp, event.index, event.entropy);
}

/** An event's series fields as the tail of a JSON object, with the closing brace. */
function seriesJson(event: StoredEvent): string {
  if (event.seriesId === undefined) return "}";
  let json = `,"seriesId":${JSON.stringify(event.seriesId)},"seriesMode":"${event.seriesMode}"`;
  if (event.accField !== undefined && event.accField !== DEFAULT_ACC_FIELD) {
    json += `,"seriesAccField":${JSON.stringify(event.accField)}`;
  }
  if (event.snapshot) json += `,"seriesSnapshot":true`;
  return json + "}";
}

/** Writes a {@linkcode TaskEvent} as JSON. */
export function eventJson(taskId: string, event: StoredEvent): string {
  return `{"id":"${idOf(event)}","taskId":"${taskId}","index":${event.index}` +
    `,"timestamp":${event.timestamp},"type":${JSON.stringify(event.type)}` +
    `,"level":"${event.level}","data":${event.data}${seriesJson(event)}`;
}

/** Writes an event and its place as JSON. */
export function envelopeJson(taskId: string, filteredIndex: number, event: StoredEvent): string {
  return `{"filteredIndex":${filteredIndex},"rawIndex":${event.index},"eventId":"${idOf(event)}"` +
    `,"taskId":"${taskId}","type":${JSON.stringify(event.type)}` +
    `,"timestamp":${event.timestamp},"level":"${event.level}"` +
    `,"data":${event.data}${seriesJson(event)}`;
}

/** A stored event as users see it. */
export function toTaskEvent(taskId: string, event: StoredEvent): TaskEvent {
  return JSON.parse(eventJson(taskId, event));
}
