// Hosts with an SDK of their own, one after the other in a process: in one process, SDKs of several
// versions would find each other. The arguments are the SDK's specifier and the behaviour of each host,
// as a JSON list. A line with SENTRY_PROGRAM_ENDS ends the output of each host.
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import type { Signal } from "@taskcast/core/adapter";
import { createSentryHooks, type SentryHooksOptions } from "@taskcast/sentry";
import { createTaskcastApp } from "@taskcast/server";
import { until } from "../sse/sse.ts";

/** The line that ends the output of each host, on both streams. */
export const SENTRY_PROGRAM_ENDS = "--- end of host ---";

/** Behaviour of a host. */
export interface SentryProgram {
  /** Options of `Sentry.init`; null if it is not called, which needs the first place in the list. */
  init: Record<string, unknown> | null;
  /** Passes the SDK to the hooks. */
  explicit?: boolean;
  /** Makes an HTTP request at the end that fails. */
  request?: boolean;
  options?: SentryHooksOptions;
}

async function run(
  // deno-lint-ignore no-explicit-any
  Sentry: any,
  { init, explicit, request, options }: SentryProgram,
): Promise<void> {
  if (init !== null) Sentry.init(init);
  const broadcast = new FailingBroadcast();
  const shortTermStore = new MemoryShortTermStore();
  await using engine = new TaskEngine({
    broadcast,
    shortTermStore,
    hooks: createSentryHooks({ ...options, ...(explicit ? { sentry: Sentry } : {}) }),
  });
  const secret = (where: string) => ({ where: `secret of ${where}` });

  for (const id of ["first", "second"]) {
    await engine.createTask({
      id,
      type: "llm.chat",
      params: secret("params"),
      metadata: secret("metadata"),
    });
    await engine.transitionTask(id, "running");
    await engine.publishEvent(id, { type: "delta", data: secret("data") });
    await engine.transitionTask(id, "failed", {
      result: secret("result"),
      error: {
        code: "RATE_LIMITED",
        message: "too fast\n    at once (a.ts:1:2)",
        details: secret("details"),
      },
    });
  }
  await engine.createTask({ id: "third" });
  await engine.transitionTask("third", "failed");

  await engine.createTask({ id: "slow", type: "llm.slow", params: secret("params"), ttl: 0.05 });
  await until(async () => (await engine.getTask("slow"))?.status === "timeout", "it timed out");

  broadcast.failing = true;
  await engine.createTask({ id: "unheard" });
  await engine.publishEvent("unheard", { type: "delta", data: secret("data") });

  if (request) {
    shortTermStore.getTask = () => {
      throw new Error("the store broke");
    };
    await createTaskcastApp({ engine }).request("/tasks/asked", {
      headers: { "x-request-id": "order-17" },
    });
  }

  // Until version 8, it rejects if something could not be sent.
  const flushed = await Promise.resolve(Sentry.flush(5_000)).catch(() => false);
  console.log(flushed ? "flushed" : "not flushed");
  // Otherwise version 11 warns when the next host initialises it.
  await Promise.resolve(Sentry.close()).catch(() => {});
}

class FailingBroadcast extends MemoryBroadcastProvider {
  failing = false;

  override publish(signal: Signal): void {
    if (this.failing) {
      this.failing = false;
      throw new Error("the broadcast broke", { cause: new Error("no connection") });
    }
    super.publish(signal);
  }
}

if (import.meta.main) {
  const Sentry = await import(Deno.args[0]!);
  for (const program of JSON.parse(Deno.args[1]!)) {
    try {
      await run(Sentry, program);
    } catch (error) {
      console.error(error);
      console.log("failed");
    }
    console.log(SENTRY_PROGRAM_ENDS);
    console.error(SENTRY_PROGRAM_ENDS);
  }
  // SDKs keep a process alive, or end it late.
  Deno.exit();
}
