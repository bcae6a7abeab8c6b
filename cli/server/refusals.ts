import { MemoryBroadcastProvider, MemoryShortTermStore } from "@taskcast/core";
import { createWebhookSender } from "@taskcast/server/webhooks";
import { assertPlugins } from "./open_adapters.ts";
import { createApp, createEngine, engineSettings } from "./engine_and_app.ts";
import { assertReporting } from "./reporting.ts";
import type { StartSettings } from "../config/start_settings.ts";
import { SettingsError } from "../config/settings_error.ts";

/**
 * Returns all problems with which `start` would refuse valid settings, one line each. Creates the same
 * parts, with memory in place of stores, and connects to nothing.
 */
export async function refusals(settings: StartSettings): Promise<string[]> {
  const problems: string[] = [];
  const attempt = async (work: () => unknown) => {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      problems.push(error.message);
    }
  };
  await attempt(() => assertReporting(settings.sentry));
  await attempt(() => assertPlugins(settings.storage.adapters, settings.packageFolders));
  await attempt(async () => {
    const sender = createWebhookSender({ allowPrivate: settings.webhook.allowPrivate });
    const engine = createEngine({
      broadcast: new MemoryBroadcastProvider(),
      shortTermStore: new MemoryShortTermStore(),
      ...engineSettings(settings, sender),
    });
    try {
      const silent = { debug() {}, info() {}, warn() {}, error() {} };
      createApp(engine, settings, { log: silent });
    } finally {
      await engine.close();
      sender.close();
    }
  });
  return problems;
}
