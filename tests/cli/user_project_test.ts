import assert from "node:assert/strict";
import { ELSEWHERE, runCli, startCli } from "../../testing/servers/cli.ts";
import { startSentryEndpoint } from "../../testing/servers/sentry_endpoint.ts";
import { until } from "../../testing/sse/sse.ts";
import { tempFolder } from "../../testing/temp_file.ts";

// The command is in one place, as after `npx`, `pnpm dlx` and global installation, and the user's
// project with its packages is in another. `tests/npm` also runs these tests on Node and Bun.

const ANY_PORT = { TASKCAST_PORT: "0" };

Deno.test("reporting to Sentry needs only a DSN", async () => {
  await using sentry = startSentryEndpoint();
  await using folder = await tempFolder({});
  await using server = await startCli([], { SENTRY_DSN: sentry.dsn }, folder.path);
  await failTask(server.url);
  await until(() => sentry.events.length > 0, "the failure is reported");
  assert.match(sentry.events[0].exception.values[0].value, /^Task t failed: no answer$/);
});

async function failTask(url: string): Promise<void> {
  const send = async (method: string, path: string, body: unknown) => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(url + path, { method, headers, body: JSON.stringify(body) });
    assert(response.ok, await response.text());
  };
  await send("POST", "/tasks", { id: "t" });
  await send("PATCH", "/tasks/t/status", { status: "failed", error: { message: "no answer" } });
}

Deno.test({
  name: "the Sentry SDK of the user's project is used",
  ignore: !ELSEWHERE, // Deno has only the built-in one.
}, async () => {
  await using sentry = startSentryEndpoint();
  await using folder = await tempFolder({
    "config/taskcast.yaml": "logLevel: warn",
    "config/node_modules/@sentry/node/package.json": '{ "name": "@sentry/node" }',
    "config/node_modules/@sentry/node/index.js": `
      exports.init = ({ dsn }) => console.log("the project's SDK starts");
      exports.linkedErrorsIntegration = () => ({});
      exports.captureException = ({ message }) => console.log(message);
      exports.flush = exports.close = async () => true;`,
  });
  const args = ["-c", "config/taskcast.yaml"];
  await using server = await startCli(args, { SENTRY_DSN: sentry.dsn }, folder.path);
  await failTask(server.url);
  await until(() => server.process.out.includes("no answer"), "the SDK gets the report");
  assert.match(server.process.out, /^the project's SDK starts\n/);
  assert.deepEqual(sentry.events, []);
});

/** Returns a package with a plugin that prints its name when it is opened. */
function packageOf(folder: string, name: string, manifest: object): Record<string, string> {
  const at = `${folder}node_modules/${name}`;
  return {
    [`${at}/package.json`]: JSON.stringify({ name, type: "module", ...manifest }),
    [`${at}/plugin.js`]: `export default {
      name: "${name}", roles: ["broadcast", "shortTerm"],
      open() { throw new Error("this is ${name}"); } };`,
  };
}

Deno.test("plugins are found in the projects of the working folder and of the configuration", async () => {
  const forImport = { exports: { ".": { import: "./plugin.js" } } };
  await using folder = await tempFolder({
    ...packageOf("", "my-store", { exports: "./plugin.js" }),
    ...packageOf("", "@me/store", { exports: { "./plugin": "./plugin.js" } }),
    ...packageOf("", "import-only", forImport),
    ...packageOf("config/", "beside-config", { main: "plugin.js" }),
    "config/taskcast.yaml":
      "adapters: { broadcast: { provider: beside-config }, shortTerm: { provider: beside-config } }",
  });
  const found: [args: string[], name: string][] = [
    [["--storage", "my-store"], "my-store"],
    [["--storage", "@me/store/plugin"], "@me/store"],
    [["-c", "config/taskcast.yaml"], "beside-config"],
    // Deno itself knows these, and downloads the first.
    ...ELSEWHERE
      ? [
        [["--storage", "npm:my-store@^1"], "my-store"],
        [["--storage", "npm:@me/store@1/plugin"], "@me/store"],
        [["--storage", "import-only"], "import-only"],
      ] satisfies [string[], string][]
      : [],
  ];
  const missing: [provider: string, message: RegExp][] = [
    ["no-store", /^error: There is no adapter "no-store": use memory, .* or "npm:no-store"\n$/],
    ["@me/none", /^error: Cannot load the adapter "@me\/none": .+\n$/],
    ...ELSEWHERE
      ? [[
        "npm:none@2",
        /^error: .* "npm:none@2": install the package, with: npm install none\n$/,
      ]] satisfies [string, RegExp][]
      : [],
  ];
  await Promise.all([
    ...found.map(async ([args, name]) => {
      const { code, err } = await runCli(["start", ...args], ANY_PORT, folder.path);
      assert.match(err, new RegExp(`^error: .*: this is ${name}$`, "m"), args.join(" "));
      assert.equal(code, 1);
    }),
    ...missing.map(async ([provider, message]) => {
      const args = ["start", "--storage", provider];
      assert.match((await runCli(args, ANY_PORT, folder.path)).err, message);
    }),
  ]);
});

Deno.test("a configuration in JavaScript works as an ES module or CommonJS, whatever its package's type", async () => {
  const packages = {
    module: '{ "type": "module" }',
    commonjs: '{ "type": "commonjs" }',
    none: "{}",
  };
  const programs = {
    "import.js": `#!/usr/bin/env node
      import { sep } from "node:path";
      import { port } from "./other.mjs";
      await Promise.resolve();
      export default () => ({ port, host: sep });`,
    "require.js": `
      const { sep } = require("node:path");
      const { port } = require("./other.json");
      module.exports = async () => ({ port, host: sep });`,
    "exports.js": `
      Object.defineProperty(exports, "__esModule", { value: true });
      exports.default = { port: 4321, host: "/" };`,
  };
  const files: Record<string, string> = {};
  for (const [type, text] of Object.entries(packages)) {
    files[`${type}/package.json`] = text;
    files[`${type}/other.mjs`] = "export const port = 4321;";
    files[`${type}/other.json`] = '{ "port": 4321 }';
    for (const [name, program] of Object.entries(programs)) files[`${type}/${name}`] = program;
  }
  files["none/nothing.js"] = "const unused = 1;";
  files["none/wrong.js"] = "export default { port: };";
  await using folder = await tempFolder(files);
  const check = (file: string) =>
    runCli(["config", "check", "--json", "-c", file], {}, folder.path);
  await Promise.all(
    Object.keys(packages).flatMap((type) =>
      Object.keys(programs).map(async (name) => {
        const { out, err } = await check(`${type}/${name}`);
        assert.equal(err, "", `${type}/${name}`);
        const { port, host } = JSON.parse(out).settings;
        assert.deepEqual([port.value, host.value], [4321, "/"], `${type}/${name}`);
      })
    ),
  );
  assert.match((await check("none/nothing.js")).out, /nothing\.js: .*it has no default export/);
  assert.match((await check("none/wrong.js")).out, /wrong\.js: cannot be read: ./);
});
