import type { Value } from "../connection/database.ts";

/** The row of an event. */
export interface EventRow {
  task: number;
  idx: number;
  class: number;
  place: number;
  time: number;
  entropy: number;
  series?: string;
  /** Absent if it is in the series' text, at the following slice. */
  data?: string;
  part?: number;
  at?: number;
  len?: number;
}

/**
 * Collects rows of events by column: a column name for each value made PostgreSQL read twice as
 * much. Sending all data as one JSON text, without escaping it again, costs PostgreSQL two thirds
 * per row.
 */
export class EventColumns {
  readonly #numbers = {
    task: [] as number[],
    idx: [] as number[],
    class: [] as number[],
    place: [] as number[],
    time: [] as number[],
    entropy: [] as number[],
  };
  readonly #textSlices = {
    part: [] as (number | "NULL")[],
    at: [] as (number | "NULL")[],
    len: [] as (number | "NULL")[],
  };
  readonly #series: string[] = [];
  readonly #data: string[] = [];
  #isAnyInSeries = false;

  add(row: EventRow): void {
    const { series, data = "null" } = row;
    // Alone it would be an empty list, which is valid JSON.
    if (data.trim() === "") throw new SyntaxError("The data of an event is not JSON");
    const numbers = this.#numbers;
    numbers.task.push(row.task);
    numbers.idx.push(row.idx);
    numbers.class.push(row.class);
    numbers.place.push(row.place);
    numbers.time.push(row.time);
    numbers.entropy.push(row.entropy);
    const textSlices = this.#textSlices;
    textSlices.part.push(row.part ?? "NULL");
    textSlices.at.push(row.at ?? "NULL");
    textSlices.len.push(row.len ?? "NULL");
    this.#series.push(series === undefined ? "null" : JSON.stringify(series));
    this.#data.push(data);
    if (series !== undefined) this.#isAnyInSeries = true;
  }

  /** Returns the statement that inserts them; `undefined` if there are none. */
  statement(): [text: string, ...values: Value[]] | undefined {
    if (this.#data.length === 0) return undefined;
    const numbers = Object.values(this.#numbers).map(arrayOf);
    const data = `[${this.#data.join()}]`;
    if (!this.#isAnyInSeries) return [INSERT_PLAIN, ...numbers, data];
    const textSlices = Object.values(this.#textSlices).map(arrayOf);
    return [INSERT, ...numbers, data, ...textSlices, `[${this.#series.join()}]`];
  }
}

/** Returns a PostgreSQL array literal. */
function arrayOf(values: readonly (number | "NULL")[]): string {
  return `{${values.join()}}`;
}

// If data is not exactly one JSON value, the list has fewer or more values than there are rows: a
// row without data then has no index, nor has data without an event, and the table refuses both.
const NUMBERS = "unnest($1::bigint[]), unnest($2::integer[]), unnest($3::integer[]), " +
  "unnest($4::integer[]), unnest($5::bigint[]), unnest($6::bigint[])";
const DATA = "json_array_elements($7::text::json)";
const INDEX = "CASE WHEN data IS NOT NULL THEN idx END";

const INSERT_PLAIN = "INSERT INTO {events} (task, idx, class, place, time, entropy, data) " +
  `SELECT task, ${INDEX}, class, place, time, entropy, data FROM ROWS FROM (${NUMBERS}, ${DATA}) ` +
  "AS e (task, idx, class, place, time, entropy, data)";

const INSERT = "INSERT INTO {events} (task, idx, class, place, time, entropy, part, at, len, " +
  `series, data) SELECT task, ${INDEX}, class, place, time, entropy, part, at, len, series, ` +
  `CASE WHEN part IS NULL THEN data END FROM ROWS FROM (${NUMBERS}, ${DATA}, ` +
  "unnest($8::integer[]), unnest($9::integer[]), unnest($10::integer[]), " +
  "json_array_elements_text($11::text::json)) " +
  "AS e (task, idx, class, place, time, entropy, data, part, at, len, series)";
