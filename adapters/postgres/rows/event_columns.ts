import type { Value } from "../connection/database.ts";

/** An event's row. */
export interface EventRow {
  task: number;
  idx: number;
  class: number;
  place: number;
  time: number;
  entropy: number;
  series?: string;
  /** Left out: it is in the series' text, at the place that follows. */
  data?: string;
  part?: number;
  at?: number;
  len?: number;
}

/**
 * Rows of events, by their columns: a name for each value of each row made PostgreSQL read twice as
 * much. With their data as one text of JSON, which is not escaped again, a row costs PostgreSQL two
 * thirds.
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
  readonly #places = {
    part: [] as (number | "NULL")[],
    at: [] as (number | "NULL")[],
    len: [] as (number | "NULL")[],
  };
  readonly #series: string[] = [];
  readonly #data: string[] = [];
  #isAnyInSeries = false;

  add(row: EventRow): void {
    const { series, data = "null" } = row;
    // Alone it would be the list of no values, which is JSON.
    if (data.trim() === "") throw new SyntaxError("The data of an event is not JSON");
    const numbers = this.#numbers;
    numbers.task.push(row.task);
    numbers.idx.push(row.idx);
    numbers.class.push(row.class);
    numbers.place.push(row.place);
    numbers.time.push(row.time);
    numbers.entropy.push(row.entropy);
    const places = this.#places;
    places.part.push(row.part ?? "NULL");
    places.at.push(row.at ?? "NULL");
    places.len.push(row.len ?? "NULL");
    this.#series.push(series === undefined ? "null" : JSON.stringify(series));
    this.#data.push(data);
    if (series !== undefined) this.#isAnyInSeries = true;
  }

  /** Returns the statement that inserts them, or nothing if there are none. */
  statement(): [text: string, ...values: Value[]] | undefined {
    if (this.#data.length === 0) return undefined;
    const numbers = Object.values(this.#numbers).map(arrayOf);
    const data = `[${this.#data.join()}]`;
    if (!this.#isAnyInSeries) return [INSERT_PLAIN, ...numbers, data];
    const places = Object.values(this.#places).map(arrayOf);
    return [INSERT, ...numbers, data, ...places, `[${this.#series.join()}]`];
  }
}

/** An array as PostgreSQL writes it. */
function arrayOf(values: readonly (number | "NULL")[]): string {
  return `{${values.join()}}`;
}

// Where data is not the JSON of one value, the list has fewer values than there are rows, or more:
// a row without data has no index then, and one of no event has none either, which the table
// refuses.
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
