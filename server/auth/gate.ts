import type { IncarnationOptions, TaskEngine } from "@taskcast/core";
import { isTaskReplaced } from "@taskcast/core/internal";
import type { Scope, Task, TaskAuthConfig, TaskDetail } from "@taskcast/core/protocol";
import { TASK_ID_PATTERN, TaskcastError } from "@taskcast/core/protocol";
import type { AuthContext } from "./mod.ts";
import { authorize, hasScope, maySeeTask, meetsTaskRules } from "./mod.ts";

function isTaskId(id: unknown): id is string {
  return typeof id === "string" && TASK_ID_PATTERN.test(id);
}

/** Tasks whose rules are remembered. */
const CACHE_SIZE = 10_000;

/** Options of a call about whatever incarnation the task is in. */
const ANY: IncarnationOptions = {};

/** The rules of a task, which never change while it is in this incarnation. */
interface Rules {
  incarnation: string;
  authConfig?: TaskAuthConfig;
}

/**
 * Decides who may do what with which task.
 *
 * A decision is about one incarnation of an id, and the step that it allows demands that one: so a
 * right never reaches a task that was created later under the same id. Rules are remembered, and
 * publishing needs no read for them. Memory may be as old as it likes: a step is refused if the
 * incarnation is another one by then, and is decided anew.
 */
export class Gate {
  readonly #engine: TaskEngine;
  readonly #open: boolean;
  readonly #rules = new Map<string, Rules>();

  /** @param open Authentication is off: a task's rules, which are about identities, are too. */
  constructor(engine: TaskEngine, { open }: { open: boolean }) {
    this.#engine = engine;
    this.#open = open;
  }

  /**
   * Does what a caller may do with a task.
   *
   * @param step Is to demand the incarnation that it is given of whatever it does. Done a second time,
   * with another one, if the first was refused for that reason; so it must not have done anything
   * then.
   * @throws {TaskcastError} `FORBIDDEN`; `TASK_NOT_FOUND` only for callers who may know.
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
   * A task that a caller may do something with, as it is now.
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

  /** Requires that a caller may create a task with this id; `undefined` is a new one. */
  checkCreate(auth: AuthContext, id: string | undefined): void {
    if (this.#open || auth.taskIds === "*") return;
    if (id !== undefined && maySeeTask(auth, id)) return;
    throw new TaskcastError(
      "FORBIDDEN",
      "The token is for certain tasks only: give one of their ids as the new task's id",
    );
  }

  /** Returns true if a caller may see a task in lists and streams. */
  maySee(auth: AuthContext, task: Task): boolean {
    return this.#open ||
      (maySeeTask(auth, task.id) && meetsTaskRules(auth, "event:subscribe", task.authConfig));
  }

  /** The tasks that a caller may see at most, by id; `undefined` are all. */
  idsOf({ taskIds }: AuthContext): string[] | undefined {
    // What a token names beside ids of tasks names nothing.
    return taskIds === "*" ? undefined : taskIds.filter(isTaskId);
  }

  /** Returns true if a caller may change a task, and so may see all of its fields. */
  mayManage(auth: AuthContext, { authConfig }: Task): boolean {
    return hasScope(auth, "task:manage") &&
      (this.#open || meetsTaskRules(auth, "task:manage", authConfig));
  }

  /** A task as a caller may see it. */
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
    // Nobody is refused because of what is remembered: that may be about a task that was deleted.
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

  /** For a caller whose right is to one incarnation. */
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

  /** Reads the rules of a task and remembers them. */
  async #rulesOf(id: string): Promise<Rules> {
    this.#rules.delete(id);
    const { task: { authConfig }, incarnation } = await this.#read(id);
    const rules: Rules = { incarnation, authConfig };
    this.#rules.set(id, rules);
    // Maps keep their order, so the first key is the one that was set longest ago.
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
