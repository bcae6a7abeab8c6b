import type { StoredEvent } from "../contracts/records.ts";
import type { TaskEvent } from "../protocol/event.ts";
import { DEFAULT_ACC_FIELD } from "../protocol/event.ts";
import { eventId } from "../protocol/ulid.ts";

// `data` is already JSON text, so events are written by concatenation: nothing is parsed or stringified
// again on the way from a producer to its readers.

/** Returns the id of a stored event. */
export function idOf(event: StoredEvent): string {
  return eventId(event.timestamp, event.index, event.entropy);
}

/** Writes the series fields of an event as the end of a JSON object, including the closing brace. */
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

/** Writes an event with its position as JSON: an {@linkcode EventEnvelope}. */
export function envelopeJson(taskId: string, filteredIndex: number, event: StoredEvent): string {
  return `{"filteredIndex":${filteredIndex},"rawIndex":${event.index},"eventId":"${idOf(event)}"` +
    `,"taskId":"${taskId}","type":${JSON.stringify(event.type)}` +
    `,"timestamp":${event.timestamp},"level":"${event.level}"` +
    `,"data":${event.data}${seriesJson(event)}`;
}

/** Converts a stored event to a {@linkcode TaskEvent}. */
export function toTaskEvent(taskId: string, event: StoredEvent): TaskEvent {
  return JSON.parse(eventJson(taskId, event));
}
