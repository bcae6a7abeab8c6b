import assert from "node:assert/strict";
import { dirname } from "node:path";
import ts from "typescript";
import { run } from "../../tools/npm/run.ts";
import { walk } from "../../tools/walk.ts";
import { exportsOnJsr, exportsOnNpm } from "./export_lists.ts";
import { testHosts } from "./hosts.ts";
import { SERVERS, testNodeExamples } from "./node_examples.ts";
import { installProject, toJavaScript } from "./project.ts";
import { bun, nodeOf, workerd } from "./runtimes.ts";
import { type CommandWords, startCli } from "../../testing/servers/cli.ts";
import { leftOut } from "../../testing/left_out.ts";
import { postgresUrl } from "../../testing/databases/postgres_server.ts";
import { redisUrl } from "../../testing/databases/redis_server.ts";

// Packs every package as `deno task npm` does, installs the tarballs in an empty folder, and uses
// them there as users do: on Node 20, 22 and 24, and on Bun.

const ROOT = new URL("../../", import.meta.url);
const project = await installProject();
globalThis.addEventListener("unload", () => Deno.removeSync(project.folder, { recursive: true }));
const modules = `${project.folder}node_modules`;
const names = [...project.members.map(({ name }) => name), "taskcast"];

Deno.test("npm: packages say what npm must know, and hold nothing but code, types and words", async () => {
  for (const name of names) {
    const folder = new URL(`file://${modules}/${name}/`);
    const { license, description, keywords, engines, type, exports = {}, bin = {}, dependencies } =
      JSON.parse(await Deno.readTextFile(new URL("package.json", folder)));
    assert.deepEqual([license, engines, type], ["MIT", { node: ">=20" }, "module"], name);
    assert(description.length > 20 && keywords.length > 4, name);
    const files = await Array.fromAsync(walk(folder));
    for (const entry of [...Object.values(exports).flatMap(values), ...Object.values(bin)]) {
      assert(files.includes(String(entry).replace("./", "")), `${name}: ${entry}`);
    }
    for (const file of ["README.md", "LICENSE"]) assert(files.includes(file), `${name}: ${file}`);
    for (const file of files) {
      assert.match(file, /(\.js|\.d\.ts|^package\.json|^README\.md|^LICENSE)$/, name);
      assert.doesNotMatch(file, /_test\.|\btests?\//, name);
      const text = await Deno.readTextFile(new URL(file, folder));
      assert(!text.includes(ROOT.pathname) && !text.includes("taskcast-npm-"), `${name}/${file}`);
    }
    for (const [dependency, version] of Object.entries(dependencies ?? {})) {
      assert.match(String(version), /^\^\d+\.\d+\.\d+$/, `${name}: ${dependency}`);
    }
  }
});

Deno.test("npm: publint, strict, has nothing to say of any package", async () => {
  await project.write(
    "publint.js",
    `import { publint } from "publint";
     import { formatMessage } from "publint/utils";
     for (const name of process.argv.slice(2)) {
       const pkgDir = "node_modules/" + name;
       const { messages, pkg } = await publint({ pkgDir, strict: true, pack: false });
       for (const message of messages) console.log(name + ": " + formatMessage(message, pkg));
     }`,
  );
  const said = await run(await nodeOf(24), ["publint.js", ...names], { cwd: project.folder });
  assert.equal(said, "");
});

Deno.test("npm: types resolve for every way of importing an ES module", async () => {
  // Packages are ES modules only, so resolution by `require` and that of Node 10 are left out.
  await project.write(
    "types.js",
    `import { readdirSync, readFileSync } from "node:fs";
     import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
     for (const file of readdirSync("packed")) {
       const tarball = new Uint8Array(readFileSync("packed/" + file));
       const { packageName, types, problems = [] } =
         await checkPackage(createPackageFromTarballData(tarball));
       if (!types && packageName !== "taskcast") console.log(packageName + ": no types");
       for (const problem of problems) {
         if (["node10", "node16-cjs"].includes(problem.resolutionKind)) continue;
         console.log(packageName + ": " + JSON.stringify(problem));
       }
     }`,
  );
  const said = await run(await nodeOf(24), ["types.js"], { cwd: project.folder });
  assert.equal(said, "");
});

function values(entry: unknown): unknown[] {
  return typeof entry === "string" ? [entry] : Object.values(entry as Record<string, string>);
}

Deno.test("npm: every entry point and each example of a server is type-checked strictly, libraries too", async () => {
  const entries = project.members.flatMap(({ name, exports }) =>
    Object.keys(exports).filter((at) => at !== "./bin").map((at) => name + at.slice(1))
  );
  await project.write(
    "all.ts",
    entries.map((entry, i) => `import * as m${i} from ${JSON.stringify(entry)};\n`).join("") +
      `console.log(${entries.map((_, i) => `m${i}`)});\n`,
  );
  const servers = SERVERS.map((name) => `examples/${name}/server.ts`);
  await tsc(["--module", "nodenext", "--types", "node", "all.ts", ...servers]);
});

Deno.test("npm: the guide's code is type-checked as written", async () => {
  // Except for an address that may be missing, which ioredis does not accept.
  const guide = await Deno.readTextFile(new URL("../docs/guide/embedded.ts.txt", import.meta.url));
  await project.write("guide.ts", guide.replaceAll("process.env.REDIS_URL", "$&!"));
  // Under `nodenext`, TypeScript does not see the default export that ioredis has.
  await tsc(["--module", "preserve", "--types", "node", "guide.ts"]);
});

Deno.test("npm: the client is type-checked for browsers, without the types of Node", async () => {
  await project.write("page.ts", 'import * as client from "@taskcast/client";\nalert(client);\n');
  await tsc(["--module", "preserve", "--lib", "es2022,dom", "--typeRoots", "none", "page.ts"]);
});

Deno.test("npm: the client is also one file for pages, which needs nothing else", async () => {
  const folder = `${modules}/@taskcast/client/`;
  const { unpkg, jsdelivr } = JSON.parse(await Deno.readTextFile(`${folder}package.json`));
  assert.equal(unpkg, jsdelivr);
  const bundle = await import(new URL(unpkg, `file://${folder}`).href);
  const npm = exportsOnNpm(project.members, modules);
  // Types are not values.
  const values = Object.keys(bundle).sort();
  assert(values.includes("TaskcastClient"));
  assert.deepEqual(values.filter((name) => !npm["@taskcast/client"]!.includes(name)), []);
  assert.doesNotMatch(await Deno.readTextFile(folder + unpkg), /(\bimport\s*[{"'*]|\bfrom\s*["'])/);
});

Deno.test("npm: the command brings an SDK for Sentry along, small and without dependencies", async () => {
  const file = `${modules}/@taskcast/sentry/built_in_sdk.js`;
  const text = await Deno.readTextFile(file);
  const imported = text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g);
  assert.deepEqual([...imported].map(([, name]) => name), ["node:process"]);
  assert(text.length < 80_000, `${text.length} bytes`);
  for (const name of ["@taskcast/sentry", "@taskcast/cli", "taskcast"]) {
    const { dependencies } = JSON.parse(await Deno.readTextFile(`${modules}/${name}/package.json`));
    assert.deepEqual(Object.keys(dependencies).filter((name) => name.startsWith("@sentry/")), []);
  }
});

Deno.test("npm: README's embedded app takes requests on Node 20, without its types", async () => {
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  const [, block] = /```ts\n((?:(?!```)[\s\S])*export default app[\s\S]*?)```/.exec(readme)!;
  const [, producer] = /```ts\n((?:(?!```)[\s\S])*function produce[\s\S]*?)```/.exec(readme)!;
  await project.write("readme.js", withoutTypes(block!));
  await project.write("producer.js", withoutTypes(producer!));
  await project.write(
    "use_readme.js",
    `import app from "./readme.js";
     import { produce } from "./producer.js";
     const { status } = await app.request("/taskcast/tasks", { method: "POST" });
     console.log(status, typeof produce);
     process.exit();`,
  );
  const said = await run(await nodeOf(20), ["use_readme.js"], { cwd: project.folder });
  assert.equal(said, "201 function\n");
});

/** Returns TypeScript without its types; new syntax is unchanged. */
function withoutTypes(text: string): string {
  const compilerOptions = { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext };
  return ts.transpileModule(text, { compilerOptions }).outputText;
}

async function tsc(args: readonly string[]): Promise<void> {
  const checks = ["--noEmit", "--strict", "--skipLibCheck", "false", "--target", "es2022"];
  await run("npx", ["--no-install", "tsc", ...checks, ...args], { cwd: project.folder });
}

Deno.test("npm: packages export what they export on JSR", async () => {
  const npm = exportsOnNpm(project.members, modules);
  assert(npm["@taskcast/core"]!.length > 50);
  assert(npm["@taskcast/core/adapter"]!.length > 50);
  assert.deepEqual(npm, await exportsOnJsr(project.members, ROOT));
});

await testNodeExamples(project);

const redis = await redisUrl();
const postgres = await postgresUrl();
const stores = { REDIS_URL: redis ?? "", DATABASE_URL: postgres ?? "" };
const hasStores = redis !== undefined && postgres !== undefined;

/** Adapters whose conformance runs on each version of Node. */
const SUITES: Readonly<Record<number, string>> = {
  20: "memory,redis,postgres,deno-kv", // Node 20 has no SQLite of its own.
  22: "sqlite,redis",
  24: "sqlite,postgres,deno-kv",
};

/** Returns the last descendant of a process. */
async function youngest(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("pgrep", { args: ["-P", `${pid}`] }).output();
  const [child] = new TextDecoder().decode(stdout).split("\n").filter(Boolean).map(Number);
  return child === undefined ? pid : await youngest(child);
}

for (const [version, suites] of Object.entries(SUITES)) {
  const node = await nodeOf(Number(version));
  const PATH = `${dirname(node)}:${Deno.env.get("PATH")}`;

  Deno.test({
    name: `npm: the guide's embedded example works as written on Node ${version}`,
    ignore: !hasStores,
  }, async () => {
    const guide = new URL("../docs/guide/embedded.ts.txt", import.meta.url);
    await project.write("guide.js", toJavaScript(await Deno.readTextFile(guide)));
    await project.writeScript("embedded.js", new URL("./embedded.ts", import.meta.url));
    const env = { ...stores, JWT_SECRET: "a secret of more than thirty-two bytes" };
    const said = JSON.parse(await run(node, ["embedded.js"], { cwd: project.folder, env }));
    assert.deepEqual([said.withoutToken, said.archive], [401, true]);
    assert.match(said.stream, /"data":\{"delta":"Hello"\}.*"seriesSnapshot":true/);
    assert.match(said.stream, /event: taskcast\.done\ndata: \{"reason":"completed"\}\nid: /);
  });

  Deno.test(`npm: npx taskcast serves what the configuration says on Node ${version}`, async () => {
    await project.write("taskcast.config.yaml", "logLevel: warn\nhost: ${HOST_OF_TEST}\n");
    await project.write("usual.ts", 'export enum Host { Usual = "127.0.0.1" }\n');
    await project.write(
      "own.config.ts",
      `import type { TaskcastConfig } from "@taskcast/core";
       import { Host } from "./usual.ts";
       export default { logLevel: "warn", host: Host.Usual } satisfies TaskcastConfig;`,
    );
    for (const file of ["taskcast.config.yaml", "own.config.ts"]) {
      const command: CommandWords = ["npx", "--no-install", "taskcast"];
      const env = { PATH, HOST_OF_TEST: "127.0.0.1" };
      await using server = await startCli(["-c", file], env, project.folder, command);
      assert.match(server.url, /^http:\/\/127\.0\.0\.1:/);
      assert.equal((await (await fetch(`${server.url}/health`)).json()).status, "ok");
      // npx itself does not pass SIGTERM on.
      Deno.kill(await youngest(server.process.pid), "SIGTERM");
      assert.equal(await server.process.ended, 0);
    }
  });

  Deno.test({
    name: `npm: adapters pass the conformance suite on Node ${version}: ${suites}`,
    ignore: !hasStores,
  }, async () => {
    await project.writeScript("conformance.js", new URL("./conformance.ts", import.meta.url));
    const env = { ...stores, SUITES: suites };
    const args = ["--test", "--test-reporter=tap", "conformance.js"];
    const tap = await run(node, args, { cwd: project.folder, env });
    assert(Number(/^# pass (\d+)$/m.exec(tap)?.[1]) > 50, tap);
  });
}

/** Tests that know only the address of a server or the words of a command. */
const BLACK_BOX = [
  "auth/auth",
  "cli/user_project",
  "clients/client",
  "clients/server_sdk",
  "http/bad_input",
  "http/connections",
  "http/http",
  "http/ndjson",
  "http/request_id",
  "http/state",
  "sse/fanout",
  "sse/global_stream",
  "sse/resume",
  "sse/stream_safety",
];

async function testCommand(
  command: CommandWords,
  files: readonly string[],
  filter = "",
): Promise<void> {
  const paths = files.map((name) => `tests/${name}_test.ts`);
  const options = ["-A", "--no-check", "--parallel", "--filter", filter];
  const said = await run(Deno.execPath(), ["test", ...options, ...paths], {
    cwd: ROOT,
    env: { TASKCAST_TEST_COMMAND: JSON.stringify(command) },
  });
  assert.match(said, /^ok \| [1-9]\d* passed/m);
}

const installed = `${modules}/taskcast/bin.js`;

Deno.test("npm: the black-box tests pass on Node 20", async () => {
  await testCommand([await nodeOf(20), installed], [...BLACK_BOX, "cli/cli"]);
});

Deno.test("npm: limits count by the address of the connection on Node 20", async () => {
  await testCommand([await nodeOf(20), installed], ["auth/token"], "the address of the connection");
});

Deno.test("npm: tasks in SQLite survive the death of their server on Node 22", async () => {
  await testCommand([await nodeOf(22), installed], ["stores/sqlite_process"]);
});

const bunProgram = await bun();
if (bunProgram === undefined) leftOut("the tests on Bun", "a machine on which its package runs");

const workerdProgram = await workerd();
if (workerdProgram === undefined) {
  leftOut("the test on workerd", "a machine on which its package runs");
}

testHosts(project, { node: await nodeOf(24), bun: bunProgram, workerd: workerdProgram });

Deno.test({
  name: "npm: streams, publishing and resumption work on Bun",
  ignore: bunProgram === undefined,
}, async () => {
  const command: CommandWords = [bunProgram!, installed];
  await testCommand(command, [
    "http/ndjson",
    "http/state",
    "sse/resume",
    "sse/stream_safety",
    "cli/user_project",
  ]);
  // Its sockets do not report progress, so half a request on a reused connection counts as idle.
  await testCommand(
    command,
    ["http/connections"],
    "/half a request do|descriptors|stops|new connection|its part/",
  );
});
