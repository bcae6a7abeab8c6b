// Starts an SDK as the CLI does, and prints its effects on the process. Its argument is the SDK,
// unless the built-in one is used.
import process from "node:process";
import { startSentry } from "@taskcast/sentry/start";

const EVENTS = ["uncaughtException", "unhandledRejection", "exit", "SIGTERM", "SIGINT"];
const listeners = () => EVENTS.map((name) => process.listenerCount(name));
const before = { listeners: listeners(), fetch: globalThis.fetch, log: console.log };

const options = {
  dsn: process.env.SENTRY_TEST_DSN!,
  environment: "staging",
  release: "1.2.3",
};
const [name] = Deno.args;
const sdk = name === undefined ? undefined : await import(name);
const { sentry, flush, close } = await startSentry({ ...options, sdk });

await fetch("data:,a"); // Must not become a breadcrumb.
sentry.captureException(new Error("first", { cause: new Error("the cause") }));
const client = sentry.getClient!() as {
  getOptions(): { integrations: { name: string }[] };
};
const flushed = await flush(5_000);
console.log(JSON.stringify({
  flushed,
  integrations: client.getOptions().integrations.map(({ name }) => name),
  newListeners: EVENTS.filter((_, i) => listeners()[i] !== before.listeners[i]),
  fetchIsWrapped: globalThis.fetch !== before.fetch,
  consoleIsWrapped: console.log !== before.log,
}));
sentry.captureException(new Error("second, sent by close()"));
await close();
await close();
sentry.captureException(new Error("third, after the end"));
await flush(5_000);
