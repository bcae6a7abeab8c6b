import assert from "node:assert/strict";
import ts from "typescript";
import { run } from "../../tools/npm/run.ts";
import { walk } from "../../tools/walk.ts";
import { exportsOnJsr, exportsOnNpm } from "./export_lists.ts";
import { SERVERS } from "./node_examples.ts";
import { openProject } from "./project.ts";
import { nodeOf } from "./runtimes.ts";

// Contents of the installed packages, their types and their exports.

const ROOT = new URL("../../", import.meta.url);
const project = await openProject();
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
  const output = await run(await nodeOf(24), ["publint.js", ...names], { cwd: project.folder });
  assert.equal(output, "");
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
  const output = await run(await nodeOf(24), ["types.js"], { cwd: project.folder });
  assert.equal(output, "");
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
  const output = await run(await nodeOf(20), ["use_readme.js"], { cwd: project.folder });
  assert.equal(output, "201 function\n");
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
