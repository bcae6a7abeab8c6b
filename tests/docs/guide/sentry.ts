// The Sentry block of the user's deployment guide, as written there, in a server whose task fails.
import process from "node:process";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";

const broadcast = new MemoryBroadcastProvider();
const shortTerm = new MemoryShortTermStore();

import * as Sentry from "@sentry/node";
import { createSentryHooks } from "@taskcast/sentry";

Sentry.init({ dsn: process.env.SENTRY_DSN });

const hooks = createSentryHooks({
  captureTaskFailures: true,
  captureTaskTimeouts: true,
  captureUnhandledErrors: true,
});

const engine = new TaskEngine({
  broadcast,
  shortTermStore: shortTerm,
  hooks,
});

const { id } = await engine.createTask({ type: "llm.chat" });
await engine.transitionTask(id, "running");
await engine.transitionTask(id, "failed", { error: { message: "no answer" } });
await engine.close();
await Sentry.close(5_000);
