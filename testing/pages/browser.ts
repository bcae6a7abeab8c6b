import type { Browser, Page } from "playwright-core";
import { chromium } from "playwright-core";
import { leftOut } from "../left_out.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"];

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--remote-debugging-port=0",
];

/** The browser on this machine: `TASKCAST_TEST_BROWSER`, else one that is on the path. */
async function findBrowser(): Promise<string | undefined> {
  const named = Deno.env.get("TASKCAST_TEST_BROWSER");
  if (named !== undefined) return named;
  for (const name of NAMES) {
    try {
      const { success } = await new Deno.Command(name, {
        args: ["--version"],
        stdout: "null",
        stderr: "null",
      }).output();
      if (success) return name;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

const command = await findBrowser();
if (command === undefined) {
  leftOut("tests in a browser", "Chromium on the path, or TASKCAST_TEST_BROWSER");
}

/** Registers a test in a real browser. Where there is none the test is left out. */
export function browserTest(name: string, run: (page: Page) => Promise<void>): void {
  Deno.test({
    name,
    ignore: command === undefined,
    // The connection of the browser's driver ends a little after the browser.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      await withBrowser(command!, async (browser) => {
        const context = await browser.newContext();
        context.setDefaultTimeout(20_000);
        const errors: string[] = [];
        context.on("weberror", (error) => errors.push(String(error.error())));
        const page = await context.newPage();
        await run(page);
        if (errors.length > 0) throw new Error(`errors in a page: ${errors.join("; ")}`);
      });
    },
  });
}

async function withBrowser(
  command: string,
  use: (browser: Browser) => Promise<void>,
): Promise<void> {
  const profile = await Deno.makeTempDir();
  const child = new Deno.Command(command, {
    args: [...FLAGS, `--user-data-dir=${profile}`, "about:blank"],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  try {
    const browser = await chromium.connectOverCDP(await endpointOf(child.stderr));
    try {
      await use(browser);
    } finally {
      await browser.close();
    }
  } finally {
    child.kill("SIGKILL");
    await child.status;
    await Deno.remove(profile, { recursive: true }).catch(() => {});
  }
}

/** Where the browser says it can be driven; what else it says is read and dropped. */
async function endpointOf(output: ReadableStream<Uint8Array>): Promise<string> {
  const reader = output.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`the browser did not start: ${text}`);
    text += value;
    const endpoint = /ws:\/\/\S+/.exec(text)?.[0];
    if (endpoint === undefined) continue;
    void (async () => {
      // Read on, so that the browser never waits for its output to be taken.
      for (;;) if ((await reader.read()).done) return;
    })().catch(() => {});
    return endpoint;
  }
}
