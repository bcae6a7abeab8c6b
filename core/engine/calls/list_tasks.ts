import type { ListPage, TaskReader } from "../../contracts/task_reader.ts";
import type { TaskRecord } from "../../contracts/records.ts";
import { TaskcastError } from "../../protocol/errors.ts";
import { BOUNDS } from "../../protocol/limits.ts";
import type { Task } from "../../protocol/task.ts";
import type { TaskStatus } from "../../protocol/status.ts";
import { TASK_STATUSES } from "../../protocol/status.ts";
import { TASK_ID_PATTERN } from "../../protocol/task_id.ts";
import type { ListKey } from "../../domain/task_list.ts";
import { compareNewestFirst, matchesListQuery } from "../../domain/task_list.ts";
import {
  assertFunction,
  integer,
  list,
  object,
  optional,
  text,
  texts,
} from "../../domain/validate/checks.ts";
import { assertTypePatterns } from "../../domain/validate/query.ts";
import { assertPriority, assertStatus } from "../../domain/validate/task.ts";
import { ArchiveAway } from "../../context/archive_away.ts";

/** Selects tasks to list. */
export interface ListTasksQuery {
  /** Returns only tasks with one of these statuses. @default all */
  status?: readonly TaskStatus[];
  /** Returns only tasks of one of these types; `a.b.*` matches types that start with `a.b.`. @default all */
  types?: readonly string[];
  /** Returns only tasks with this tag. */
  tag?: string;
  /** Returns only tasks with this priority: 0 to 9. @default all */
  priority?: number;
  /** Maximum number of tasks: 1 to 500. @default {50} */
  limit?: number;
  /** The `nextCursor` of the previous page. */
  cursor?: string;
  /** Returns whether to list a task. @default all */
  visible?: (task: Task) => boolean;
  /** Returns only tasks with one of these ids. @default all */
  ids?: readonly string[];
}

/** A page of tasks. */
export interface TaskPage {
  /** The tasks, newest first. */
  tasks: Task[];
  /** The cursor of the next page; left out on the last page. */
  nextCursor?: string;
  /** Set if the archive cannot be reached, so that tasks that only it has are missing. */
  partial?: true;
}

/** Maximum number of pages read for one request, even if a filter hides nearly everything. */
const MAX_PAGES = 20;

/** Tasks read at a time after that, to the end of the millisecond in which reading stopped. */
const FINAL_PAGE_TASKS = 100;

/** Lists tasks, newest first, by `createdAt` and then `id`. */
export async function listTasks(store: TaskReader, query: ListTasksQuery): Promise<TaskPage> {
  assertQuery(query);
  const { status = [], types = [], tag, priority, limit = 50, cursor, visible = () => true, ids } =
    query;
  const conditions = {
    statuses: status.length === 0 ? undefined : status,
    types: types.length === 0 ? undefined : types,
    tag,
    priority,
  };
  let after = cursor === undefined ? undefined : decodeListCursor(cursor);
  if (ids !== undefined) {
    const matches = ({ task }: TaskRecord) => matchesListQuery(task, conditions) && visible(task);
    return await listByIds(store, ids, { after, limit, matches });
  }

  const tasks: Task[] = [];
  let partial = {};
  /** The creation time at which reading stops; set once the limit of pages is reached. */
  let stoppedAt: number | undefined;
  for (let pages = 1;; pages++) {
    const page: ListPage = await store.listTasks({
      ...conditions,
      limit: stoppedAt === undefined ? limit - tasks.length : FINAL_PAGE_TASKS,
      after,
    });
    if (page.partial) partial = PARTIAL;
    for (const { task } of page.tasks) {
      if (stoppedAt !== undefined && task.createdAt < stoppedAt) {
        return { tasks, nextCursor: encodeListCursor(endOf(stoppedAt)), ...partial };
      }
      after = keyOf(task);
      if (!visible(task)) continue;
      tasks.push(task);
      if (tasks.length === limit) {
        const isLast = !page.more && task === page.tasks.at(-1)!.task;
        return { tasks, ...(!isLast && { nextCursor: encodeListCursor(task) }), ...partial };
      }
    }
    if (!page.more || page.tasks.length === 0) return { tasks, ...partial };
    // The cursor must not name a hidden task. It names a millisecond instead, so all tasks of that
    // millisecond must have been read.
    if (pages >= MAX_PAGES) stoppedAt ??= after?.createdAt;
  }
}

function assertQuery(query: ListTasksQuery): void {
  const fields = object(query, "query");
  optional(fields, "", "status", (statuses, path) => {
    list(statuses, path, TASK_STATUSES.length)
      .forEach((item, i) => assertStatus(item, `${path}[${i}]`));
  });
  optional(fields, "", "types", assertTypePatterns);
  optional(fields, "", "tag", text);
  optional(fields, "", "priority", assertPriority);
  optional(fields, "", "limit", (value, path) => integer(value, path, 1, BOUNDS.listPage));
  optional(fields, "", "cursor", text);
  optional(fields, "", "visible", assertFunction);
  optional(fields, "", "ids", (ids, path) => texts(ids, path, Infinity));
}

const PARTIAL = { partial: true } as const;

async function listByIds(
  store: TaskReader,
  ids: readonly string[],
  { after, limit, matches }: {
    after?: ListKey;
    limit: number;
    matches: (record: TaskRecord) => boolean;
  },
): Promise<TaskPage> {
  let partial = {};
  const heads = await Promise.all([...new Set(ids)].map(async (id) => {
    try {
      return await store.getTask(id);
    } catch (error) {
      if (!(error instanceof ArchiveAway)) throw error;
      partial = PARTIAL;
      return undefined;
    }
  }));
  const tasks = heads.flatMap((head) =>
    head !== undefined && matches(head.record) ? [head.record.task] : []
  )
    .filter((task) => after === undefined || compareNewestFirst(task, after) > 0)
    .sort(compareNewestFirst);
  const page = tasks.slice(0, limit);
  if (tasks.length <= limit) return { tasks: page, ...partial };
  return { tasks: page, nextCursor: encodeListCursor(page.at(-1)!), ...partial };
}

function keyOf({ createdAt, id }: Task): ListKey {
  return { createdAt, id };
}

/** Returns the key after all tasks of a millisecond; the empty id sorts last. */
function endOf(createdAt: number): ListKey {
  return { createdAt, id: "" };
}

function encodeListCursor({ createdAt, id }: ListKey): string {
  return `${createdAt}.${id}`;
}

function decodeListCursor(cursor: string): ListKey {
  const [, digits, id = ""] = /^(\d{1,16})\.(.*)$/s.exec(cursor) ?? [];
  const createdAt = Number(digits);
  if (Number.isSafeInteger(createdAt) && (id === "" || TASK_ID_PATTERN.test(id))) {
    return { createdAt, id };
  }
  throw new TaskcastError(
    "INVALID_CURSOR",
    "The list cursor is malformed; use the nextCursor of the page before, or none",
  );
}
