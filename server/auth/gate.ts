import type { IncarnationOptions, TaskEngine } from "@taskcast/core";
import { isTaskReplaced } from "@taskcast/core/internal";
import type { Scope, Task, TaskAuthConfig, TaskDetail } from "@taskcast/core/protocol";
import { TASK_ID_PATTERN, TaskcastError } from "@taskcast/core/protocol";
import type { AuthContext } from "./mod.ts";
import { authorize, hasScope, maySeeTask, meetsTaskRules } from "./mod.ts";

function isTaskId(id: unknown): id is string {
  return typeof id === "string" && TASK_ID_PATTERN.test(id);
}

/** Number of tasks whose rules are cached. */
const CACHE_SIZE = 10_000;

/** The task in any incarnation. */
const ANY: IncarnationOptions = {};

/** The rules of a task. They never change within an incarnation. */
interface Rules {
  incarnation: string;
  authConfig?: TaskAuthConfig;
}

/**
 * Decides which caller may do what with which task.
 *
 * A decision is about one incarnation of an id, and the step that it allows requires that
 * incarnation. A right therefore never extends to a later task of the same id. Rules are cached,
 * and publishing needs no read for them. The cache may be stale: if the incarnation has changed,
 * the step is refused and decided again.
 */
export class Gate {
  readonly #engine: TaskEngine;
  readonly #open: boolean;
  readonly #rules = new Map<string, Rules>();

  /**
   * @param open Authentication is off. The rules of a task are off too, since they are about
   * identities.
   */
  constructor(engine: TaskEngine, { open }: { open: boolean }) {
    this.#engine = engine;
    this.#open = open;
  }

  /**
   * Runs a step on a task that the caller may take.
   *
   * @param step Must require the incarnation that it is given. If it is refused because the
   * incarnation changed, it runs again with the new one; so it must not have had any effect by
   * then.
   * @throws {TaskcastError} `FORBIDDEN`; `TASK_NOT_FOUND` only for callers that may learn it.
   */
  withTask<T>(
    auth: AuthContext,
    scope: Scope,
    id: string,
    step: (at: IncarnationOptions) => Promise<T>,
  ): Promise<T> {
    if (auth.incarnation !== undefined) return this.#inOne(auth, scope, id, step);
    return this.#open ? step(ANY) : this.#decide(auth, scope, id, step);
  }

  /**
   * Reads a task on which the caller may do something.
   *
   * @throws {TaskcastError} As {@linkcode withTask}.
   */
  async readTask(
    auth: AuthContext,
    scope: Scope,
    id: string,
  ): Promise<{ task: TaskDetail; incarnation: string }> {
    if (!this.#open) authorize(auth, scope, { id });
    const found = await this.#read(id);
    if (!this.#open) authorize(auth, scope, { id, authConfig: found.task.authConfig });
    return found;
  }

  /**
   * Requires that a caller may create a task with this id; `undefined` stands for a generated id.
   */
  checkCreate(auth: AuthContext, id: string | undefined): void {
    if (this.#open || auth.taskIds === "*") return;
    if (id !== undefined && maySeeTask(auth, id)) return;
    throw new TaskcastError(
      "FORBIDDEN",
      "The token is limited to certain tasks: use one of their ids for the new task",
    );
  }

  /** Returns whether a caller may see a task in lists and streams. */
  maySee(auth: AuthContext, task: Task): boolean {
    return this.#open ||
      (maySeeTask(auth, task.id) && meetsTaskRules(auth, "event:subscribe", task.authConfig));
  }

  /**
   * Returns the ids of the tasks that a caller may see at most; `undefined` stands for all tasks.
   */
  idsOf({ taskIds }: AuthContext): string[] | undefined {
    // Entries of a token that are not task ids match no task.
    return taskIds === "*" ? undefined : taskIds.filter(isTaskId);
  }

  /** Returns whether a caller may change a task, and so may see its rules and webhooks. */
  mayManage(auth: AuthContext, { authConfig }: Task): boolean {
    return hasScope(auth, "task:manage") &&
      (this.#open || meetsTaskRules(auth, "task:manage", authConfig));
  }

  /** Returns the parts of a task that a caller may see. */
  show<T extends Task>(auth: AuthContext, task: T): Omit<T, "authConfig" | "webhooks"> {
    const { authConfig, webhooks, ...shown } = task;
    if (!this.mayManage(auth, task)) return shown;
    return {
      ...shown,
      ...(authConfig && { authConfig }),
      ...(webhooks && { webhooks: webhooks.map(({ secret: _secret, ...hook }) => hook) }),
    };
  }

  async #decide<T>(
    auth: AuthContext,
    scope: Scope,
    id: string,
    step: (at: IncarnationOptions) => Promise<T>,
  ): Promise<T> {
    authorize(auth, scope, { id });
    let rules = this.#rules.get(id);
    // Never refuses from the cache: it may describe a task that was deleted.
    if (rules === undefined || !meetsTaskRules(auth, scope, rules.authConfig)) {
      rules = await this.#rulesOf(id);
    }
    authorize(auth, scope, { id, authConfig: rules.authConfig });
    try {
      return await step({ incarnation: rules.incarnation });
    } catch (error) {
      if (!isTaskReplaced(error)) throw error;
    }
    rules = await this.#rulesOf(id);
    authorize(auth, scope, { id, authConfig: rules.authConfig });
    return await step({ incarnation: rules.incarnation });
  }

  /** Runs a step for a caller whose right is limited to one incarnation. */
  async #inOne<T>(
    auth: AuthContext,
    scope: Scope,
    id: string,
    step: (at: IncarnationOptions) => Promise<T>,
  ): Promise<T> {
    authorize(auth, scope, { id });
    try {
      return await step({ incarnation: auth.incarnation });
    } catch (error) {
      if (!isTaskReplaced(error)) throw error;
      throw new TaskcastError("UNAUTHORIZED", "The ticket is for a task that was deleted");
    }
  }

  /** Reads the rules of a task and caches them. */
  async #rulesOf(id: string): Promise<Rules> {
    this.#rules.delete(id);
    const { task: { authConfig }, incarnation } = await this.#read(id);
    const rules: Rules = { incarnation, authConfig };
    this.#rules.set(id, rules);
    // Maps keep insertion order, so the first key is the oldest.
    if (this.#rules.size > CACHE_SIZE) this.#rules.delete(this.#rules.keys().next().value!);
    return rules;
  }

  async #read(id: string): Promise<{ task: TaskDetail; incarnation: string }> {
    const found = await this.#engine.readTask(id);
    if (found !== undefined) return found;
    throw new TaskcastError("TASK_NOT_FOUND", `Task "${id}" does not exist`, {
      details: { taskId: id },
    });
  }
}
