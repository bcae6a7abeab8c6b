import type { Browser, Page } from "playwright-core";
import { chromium } from "playwright-core";
import { leftOut } from "../left_out.ts";
import { until } from "../sse/sse.ts";

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

/** Returns the browser on this machine: `TASKCAST_TEST_BROWSER`, or one on the path. */
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

/** Registers a test in a real browser. Without a browser, the test is skipped. */
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
  // One process for all tests of a file; each has its own connection and context.
  endpoint ??= startBrowser(command);
  const browser = await chromium.connectOverCDP(await endpoint);
  try {
    await use(browser);
  } finally {
    // Closes the context and the connection; the process continues.
    await browser.close();
  }
}

let endpoint: Promise<string> | undefined;

/** Starts the browser of this file, which ends with it, and returns its debugging endpoint. */
async function startBrowser(command: string): Promise<string> {
  const profile = await Deno.makeTempDir();
  const child = new Deno.Command(command, {
    args: [...FLAGS, `--user-data-dir=${profile}`, "about:blank"],
    stdout: "null",
    stderr: "null",
  }).spawn();
  child.unref();
  let ended = false;
  void child.status.then(() => ended = true);
  globalThis.addEventListener("unload", () => {
    if (!ended) child.kill("SIGKILL");
    try {
      Deno.removeSync(profile, { recursive: true });
    } catch {
      // The browser's own processes may still write there for a moment.
    }
  });
  let at: string[] = [];
  const isUp = async () => {
    if (ended) throw new Error("the browser did not start");
    const text = await Deno.readTextFile(`${profile}/DevToolsActivePort`).catch(() => "");
    at = text.split("\n");
    return at.length > 1;
  };
  await until(isUp, "the browser can be driven");
  const [port, path] = at;
  return `ws://127.0.0.1:${port}${path}`;
}
