import type { TaskEngine } from "@taskcast/core";
import type { Scope, Task, TaskAuthConfig } from "@taskcast/core/protocol";
import { TaskcastError } from "@taskcast/core/protocol";
import type { AuthContext } from "./auth/mod.ts";
import { authorize, hasScope, maySeeTask, meetsTaskRules } from "./auth/mod.ts";

/** Tasks whose rules are remembered. */
const CACHE_SIZE = 10_000;
/** How long a task's rules are remembered after another instance may have given the id anew. */
const CACHE_MS = 10_000;

/**
 * Decides who may do what with which task.
 *
 * A task's `authConfig` never changes, so it is remembered, and publishing needs no read for it.
 */
export class Gate {
  readonly #engine: TaskEngine;
  readonly #open: boolean;
  readonly #rules = new Map<string, { authConfig?: TaskAuthConfig; untilMs: number }>();

  /** @param open Authentication is off: a task's rules, which are about identities, are too. */
  constructor(engine: TaskEngine, { open }: { open: boolean }) {
    this.#engine = engine;
    this.#open = open;
  }

  /**
   * Requires that a caller may do something with a task.
   *
   * @throws {TaskcastError} `FORBIDDEN`; `TASK_NOT_FOUND` only for callers who may know.
   */
  check(auth: AuthContext, scope: Scope, id: string): void | Promise<void> {
    return this.#open ? undefined : this.#check(auth, scope, id);
  }

  async #check(auth: AuthContext, scope: Scope, id: string): Promise<void> {
    authorize(auth, scope, { id });
    authorize(auth, scope, { id, authConfig: await this.#rulesOf(id) });
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

  /** Whether a caller may see a task in lists and streams. */
  maySee(auth: AuthContext, task: Task): boolean {
    return this.#open ||
      (maySeeTask(auth, task.id) && meetsTaskRules(auth, "event:subscribe", task.authConfig));
  }

  /** A task as a caller may see it. */
  show<T extends Task>(auth: AuthContext, task: T): Omit<T, "authConfig" | "webhooks"> {
    const { authConfig, webhooks, ...shown } = task;
    if (!hasScope(auth, "task:manage")) return shown;
    return {
      ...shown,
      ...(authConfig && { authConfig }),
      ...(webhooks && { webhooks: webhooks.map(({ secret: _secret, ...hook }) => hook) }),
    };
  }

  /** The task is gone; another one may take its id. */
  forget(id: string): void {
    this.#rules.delete(id);
  }

  async #rulesOf(id: string): Promise<TaskAuthConfig | undefined> {
    const nowMs = Date.now();
    const known = this.#rules.get(id);
    if (known !== undefined && known.untilMs > nowMs) return known.authConfig;
    this.#rules.delete(id);
    const task = await this.#engine.getTask(id);
    if (task === undefined) {
      throw new TaskcastError("TASK_NOT_FOUND", `Task "${id}" does not exist`, {
        details: { taskId: id },
      });
    }
    const { authConfig } = task;
    this.#rules.set(id, { authConfig, untilMs: nowMs + CACHE_MS });
    // Maps keep their order, so the first key is the one that was set longest ago.
    if (this.#rules.size > CACHE_SIZE) this.#rules.delete(this.#rules.keys().next().value!);
    return authConfig;
  }
}
