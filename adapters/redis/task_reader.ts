import type {
  FoldPage,
  FoldQuery,
  ListKey,
  ListPage,
  ListQuery,
  LogPage,
  LogQuery,
  TaskHead,
  TaskReader,
} from "@taskcast/core/adapter";
import { compareNewestFirst, matchesListQuery } from "@taskcast/core/adapter";
import type { EventFilter, TaskStatus } from "@taskcast/core/protocol";
import { TaskcastError } from "@taskcast/core/protocol";
import { filterArg, text, toFold, toStoredEvent } from "./codec.ts";
import type { Reply } from "./connection/client.ts";
import type { Partitions } from "./partitions.ts";
import type { ScriptName } from "./scripting/script_call.ts";
import type { ScriptRunner } from "./scripting/script_runner.ts";

/** Reads tasks and logs in Redis. Lists and large pages take several calls. */
export class RedisTaskReader implements TaskReader {
  /** @ignore */
  protected readonly scripts: ScriptRunner;
  /** @ignore */
  protected readonly partitions: Partitions;

  constructor(scripts: ScriptRunner, partitions: Partitions) {
    this.scripts = scripts;
    this.partitions = partitions;
  }

  async getTask(taskId: string, at?: number): Promise<TaskHead | undefined> {
    const args = [taskId, text(at)];
    const [record, length, trimmed, entropy] = await this.run(taskId, "get_task", ...args);
    if (record === null) return undefined;
    const head: TaskHead = { record: JSON.parse(record as string), length: Number(length) };
    if (trimmed !== null) head.trimmedThrough = Number(trimmed);
    if (entropy !== null) head.entropy = Number(entropy);
    return head;
  }

  async readLog(taskId: string, query: LogQuery): Promise<LogPage | undefined> {
    const { after, afterEntropy, through, limit, maxBytes, filter, standalone, backward } = query;
    const [incarnation, status, length, scannedTo, restThrough, entropy, ...entries] = await this
      .run(
        taskId,
        "read_log",
        taskId,
        String(after),
        text(through),
        String(limit),
        filterArg(filter),
        standalone ? "1" : "",
        backward ? "1" : "",
        text(maxBytes),
        text(afterEntropy),
      );
    if (incarnation === undefined) return undefined;
    const page: LogPage = {
      events: entries.map((entry) => {
        const [index, begins, goesOn] = entry as [number, string, string];
        return toStoredEvent(index, begins, goesOn);
      }),
      scannedTo: scannedTo as number,
      length: length as number,
      incarnation: incarnation as string,
      status: status as TaskStatus,
    };
    if (entropy === "diverged") page.diverged = true;
    else if (entropy !== null) page.entropy = Number(entropy);
    if (restThrough === -1) return page;
    return await this.#readRest(taskId, page, restThrough as number, limit);
  }

  /** Adds the events through an index that the script left for a plain XRANGE. */
  async #readRest(taskId: string, page: LogPage, through: number, limit: number): Promise<LogPage> {
    const base = this.partitions.of(taskId);
    const { scannedTo, incarnation, entropy } = page;
    const [found, now] = await this.scripts.ask(
      base,
      [
        "XRANGE",
        `${base}:log:${taskId}`,
        // Includes the event before: the store may have been restored to an earlier state in
        // between.
        String(scannedTo + 1),
        String(through + 1),
        "COUNT",
        String(limit - page.events.length + 1),
      ],
      ["HGET", `${base}:task:${taskId}`, "incarnation"],
    );
    // The events are then of the same incarnation: none came in between, and none comes back.
    if (now !== incarnation) return page;
    const [before, ...rest] = (found as [string, [string, string]][])
      .map(([id, [begins, goesOn]]) => toStoredEvent(parseInt(id) - 1, begins, goesOn));
    if (before?.index !== scannedTo || before.entropy !== entropy) return page;
    page.events.push(...rest);
    // Not `through`: a replica that lags may have replied.
    const last = page.events.at(-1)!;
    page.scannedTo = last.index;
    page.entropy = last.entropy;
    return page;
  }

  async readFolds(taskId: string, query: FoldQuery): Promise<FoldPage | undefined> {
    const { after, through, limit, maxBytes, texts = true, seriesId } = query;
    const [incarnation, status, length, scannedTo, entropy, ...folds] = await this.run(
      taskId,
      "read_folds",
      taskId,
      String(after),
      text(through),
      String(limit),
      text(maxBytes),
      texts ? "1" : "",
      seriesId === undefined ? "" : JSON.stringify(seriesId),
    );
    if (incarnation === undefined) return undefined;
    return {
      folds: folds.map(toFold),
      scannedTo: scannedTo as number,
      length: length as number,
      ...(entropy !== null && { entropy: Number(entropy) }),
      incarnation: incarnation as string,
      status: status as TaskStatus,
    };
  }

  async countMatches(
    taskId: string,
    filter: EventFilter,
    indexes: readonly number[],
    incarnation?: string,
  ): Promise<number[] | undefined> {
    const counts = await this.run(
      taskId,
      "count_matches",
      taskId,
      filterArg(filter),
      incarnation ?? "",
      ...indexes.map(String),
    );
    return counts.length === indexes.length ? counts as number[] : undefined;
  }

  async listTasks(query: ListQuery): Promise<ListPage> {
    const { statuses, types, tag = "", priority, limit, after } = query;
    const replies = await this.scripts.runOnAll("list_tasks", [
      statuses === undefined ? "" : JSON.stringify(statuses),
      types === undefined ? "" : JSON.stringify(types),
      tag,
      String(limit),
      text(after?.createdAt),
      after?.id ?? "",
      text(priority),
    ]);
    const keys: ListKey[] = [];
    /** Ends of the partitions that were not read completely. */
    const ends: ListKey[] = [];
    for (const [more, ...pairs] of replies) {
      const found: ListKey[] = [];
      for (let i = 0; i < pairs.length; i += 2) {
        found.push({ createdAt: Number(pairs[i]), id: pairs[i + 1] as string });
      }
      if (more !== 0) ends.push(found.at(-1)!);
      if (more === 2) found.pop(); // It only marks how far the list was read.
      keys.push(...found);
    }
    const seen = keys.filter((key) => ends.every((end) => compareNewestFirst(key, end) <= 0))
      .sort(compareNewestFirst);
    const page = seen.slice(0, limit);
    const heads = await Promise.all(page.map(({ id }) => this.#headIfWhole(id)));
    // The tasks may have changed or gone since.
    const tasks = heads.flatMap((head) =>
      head && matchesListQuery(head.record.task, query) ? [head.record] : []
    );
    const more = ends.length > 0 || seen.length > page.length;
    if (tasks.length > 0 || !more) return { tasks, more };
    const through = page.at(-1) ?? ends.sort(compareNewestFirst)[0]!;
    return await this.listTasks({ ...query, after: through });
  }

  /** Reads a task, or nothing if its head is lost: one damaged task must not break the list. */
  async #headIfWhole(taskId: string): Promise<TaskHead | undefined> {
    try {
      return await this.getTask(taskId);
    } catch (error) {
      if (error instanceof TaskcastError && error.code === "DATA_LOST") return undefined;
      throw error;
    }
  }

  /**
   * Runs a script on the partition of a task.
   *
   * @ignore
   */
  protected run(
    taskId: string,
    script: ScriptName,
    ...args: string[]
  ): Promise<readonly Reply[]> {
    return this.scripts.run(this.partitions.of(taskId), script, args);
  }
}
