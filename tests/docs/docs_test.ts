import assert from "node:assert/strict";
import { interpolate } from "../../cli/config/file/interpolate.ts";
import { readYaml } from "../../cli/config/file/read_yaml.ts";
import { validate } from "../../cli/config/file/validate.ts";
import { readMembers } from "../../tools/npm/members.ts";
import { asPublished } from "../../tools/release/as_published.ts";
import { walk } from "../../tools/walk.ts";
import rootConfig from "../../deno.json" with { type: "json" };
import {
  agrees,
  canRunSessions,
  runSession,
  stepsOf,
} from "../../testing/texts/console_session.ts";
import type { CodeBlock } from "../../testing/texts/markdown.ts";
import { documents, localLinks } from "../../testing/texts/markdown.ts";

// Documents are programs: TypeScript blocks are run by `deno test --doc`, console blocks here.

const ROOT = new URL("../../", import.meta.url);
const all = await documents();
const packages = (await readMembers()).map(({ name }) => name);

Deno.test("every code block of every document is checked", () => {
  const checks: Record<string, (block: CodeBlock) => void> = {
    // Run by `deno test --doc`.
    ts: ({ isIgnored }) => assert(!isIgnored),
    tsx: ({ isIgnored }) => assert(!isIgnored),
    // Programs of the tutorial, and code added to them; tutorial_test.ts runs them.
    js: ({ file }) => assert.match(file, /^docs\/tutorial\//),
    jsx: ({ file }) => assert.match(file, /^docs\/tutorial\//),
    html: ({ file }) => assert.match(file, /^docs\/tutorial\//),
    console: ({ text }) => assert(stepsOf(text).length > 0),
    json: ({ text }) => void JSON.parse(text),
    yaml: ({ text }) => assert.deepEqual(problemsOfYaml(text), []),
    sh: ({ file, text }) =>
      text.trimEnd().split("\n").forEach((line) => assertKnownCommand(line, file)),
    // adapters/postgres/tests/rights_test.ts compares them with the privileges that are needed.
    sql: ({ text }) => assert.match(text, /^(GRANT [^;]+;\s*)+$/),
    // adapters/redis/tests/rights_test.ts checks that each of these privileges is needed.
    redis: ({ text }) => assert.match(text, /^ACL SETUSER (\S+\s+)+$/),
    text: () => {}, // Pictures and grammar.
    mermaid: ({ text }) => assert.match(text, /^(flowchart|sequenceDiagram|stateDiagram-v2)\b/),
  };
  for (const { file, line, language, ...block } of all.flatMap(({ blocks }) => blocks)) {
    const check = checks[language];
    assert(check, `${file}:${line}: nothing checks \`\`\`${language}`);
    check({ file, line, language, ...block });
  }
});

/**
 * Returns the files that the reader of a lesson has saved. Those of the other lessons are in the
 * same folder.
 */
function savedFiles(document: string): string[] {
  const folder = document.slice(0, document.lastIndexOf("/") + 1);
  return all.filter(({ file }) => file.startsWith(folder))
    .flatMap(({ blocks }) => blocks.flatMap(({ saveAs }) => saveAs ?? []));
}

/** Returns the problems of a configuration whose variables are all set. */
function problemsOfYaml(text: string): string[] {
  const names = [...text.matchAll(/\$\{(\w+)/g)]
    .map(([, name]) => [name, name!.endsWith("_KEY") ? "sixteen letters." : "1"]);
  const { problems = [] } = validate({
    ...interpolate(readYaml(text), Object.fromEntries(names)),
    isData: true,
  });
  return problems;
}

/**
 * Requires that a command exists that cannot run in a test: it does not end, or needs a registry.
 */
function assertKnownCommand(line: string, document: string): void {
  const script = /^npm (?:run )?(\w+)$/.exec(line)?.[1];
  if (script !== undefined) {
    const { scripts } = JSON.parse(
      Deno.readTextFileSync(new URL("package.json", new URL(document, ROOT))),
    );
    assert(script === "install" || script in scripts, `there is no script "${script}"`);
    return;
  }
  if (/^(?:npx -y deno@2\.9\.6|deno) task /.test(line)) {
    for (const [, task] of line.matchAll(/(?:^|&& )(?:npx -y deno@2\.9\.6|deno) task ([\w:]+)/g)) {
      assert(task! in rootConfig.tasks, `there is no task "${task}"`);
    }
    return;
  }
  const tested = /^deno test -A (\S+)/.exec(line)?.[1];
  if (tested !== undefined) {
    assert(Deno.statSync(new URL(tested, ROOT)), `there is nothing at ${tested}`);
    return;
  }
  const file =
    /^(?:[A-Z_]+=\S+ )*(?:(?:npx -y deno@2\.9\.6|deno) (?:run|serve) -A(?: --config deno\.json)?|node) (\S+\.(?:ts|mjs))/
      .exec(line)?.[1];
  if (file !== undefined) {
    const isSaved = savedFiles(document).includes(file);
    assert(isSaved || Deno.statSync(new URL(file, ROOT)).isFile, `there is no file ${file}`);
    return;
  }
  // Programs of the machine, which the author of the lesson has run.
  if (
    document.startsWith("docs/tutorial/") &&
    /^(sudo|redis-cli|curl|export|echo|chmod|cp|sed|mkdir|npx vite|READER=|\. \.\/env\.sh)/.test(
      line,
    )
  ) return;
  // `deno task npm` creates these; tests/npm installs them from there.
  if (/^npm install (--no-save )?(\.\.\/)+(taskcast\/)?dist\/npm\/\*\.tgz$/.test(line)) return;
  const installed = /^npm install ((?:[@\w/-]+ ?)+)$/.exec(line)?.[1];
  if (installed !== undefined) {
    for (const name of installed.split(" ")) {
      const known = [...packages, "taskcast", "vite"].includes(name) ||
        Object.hasOwn(rootConfig.imports, name);
      assert(known, `there is no package "${name}"`);
    }
    return;
  }
  assert(
    /^(npx taskcast |(TASKCAST_PORT=\d+ )?node node_modules\/taskcast\/bin\.js |deno run -A jsr:@taskcast\/cli|deno add jsr:@taskcast\/|([A-Z_]+=\S+ )*taskcast|cd |git clone |curl -N https:\/\/tasks\.example\.com\/)/
      .test(
        line,
      ) ||
      line === "" || line.startsWith("#"),
    `unknown command: ${line}`,
  );
}

Deno.test("no example without its types needs syntax that Node 20 lacks", async () => {
  const blocks = all.flatMap(({ blocks }) => blocks).filter(({ language }) => language === "ts");
  assert(blocks.length > 30);
  for (const { file, line, text } of blocks) {
    assert(!text.includes("await using"), `${file}:${line}`);
  }
  for (const { folder } of await readMembers()) {
    for await (const path of walk(folder)) {
      if (!path.endsWith(".ts")) continue;
      const text = await Deno.readTextFile(new URL(path, folder));
      assert.doesNotMatch(text, /^ *\* .*\bawait using\b/m, `${folder}${path}`);
    }
  }
});

Deno.test("no sentence became a quotation because one of its lines begins with >", () => {
  for (const { file, text } of all) {
    assert.doesNotMatch(text.replaceAll(/^```[\s\S]*?^```/gm, ""), /^>/m, file);
  }
});

/** Documents for users; those for developers of this repository need no packages. */
const FOR_USERS = /^(README|docs\/|examples\/)(?!decisions\/)/;

Deno.test("documents note where they need packages that are not published yet", async () => {
  // Each note is complete, so that a release can remove it.
  for (const { file, text } of all) assert.doesNotMatch(asPublished(text), /until published/, file);
  if (all.every(({ text }) => asPublished(text) === text)) return; // They are published.
  const wanting = all.filter(({ file, text }) =>
    FOR_USERS.test(file) && /jsr:@taskcast|npm install(?! vite)|npm start/.test(text)
  );
  assert(wanting.length >= 8, wanting.map(({ file }) => file).join(" "));
  for (const { file, text } of wanting) assert.notEqual(asPublished(text), text, file);
  for await (const { name } of Deno.readDir(new URL("docs/deploy/", ROOT))) {
    const text = await Deno.readTextFile(new URL(`docs/deploy/${name}`, ROOT));
    assert.doesNotMatch(text, /npx taskcast|jsr:@taskcast|npm install/, name);
  }
});

Deno.test("every link to a document or a file has a target", () => {
  for (const document of all) {
    for (const target of localLinks(document)) {
      const [path, anchor] = target.split("#") as [string, string | undefined];
      const url = new URL(path === "" ? document.file : path, new URL(document.file, ROOT));
      const at = `${document.file}: ${target}`;
      const resolved = path === "" ? new URL(document.file, ROOT) : url;
      let text = "";
      try {
        if (!Deno.statSync(resolved).isDirectory) text = Deno.readTextFileSync(resolved);
      } catch {
        assert.fail(`${at}: there is no such file`);
      }
      if (anchor !== undefined) assert(anchors(text).includes(anchor), `${at}: no such heading`);
    }
  }
});

/** Returns the anchors that the usual hosts generate for headings. */
function anchors(text: string): string[] {
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").trim().replaceAll(/\s/g, "-")
  );
}

const sessionsRun = await canRunSessions();
if (!sessionsRun) {
  console.warn("no curl on this machine, left out: the documents' console sessions");
}

for (const document of all) {
  const steps = document.blocks.filter(({ language }) => language === "console")
    .flatMap(({ text }) => stepsOf(text));
  if (steps.length === 0 || document.file.startsWith("docs/tutorial/")) continue;
  // Settings of a document's server: <!-- server: NAME=value NAME=value -->
  const settings = /<!-- server: (.+) -->/.exec(document.text)?.[1] ?? "";
  const env = Object.fromEntries(
    settings.split(" ").filter(Boolean).map((pair) => pair.split("=") as [string, string]),
  );
  const name = `${document.file}: its console sessions answer what they say`;
  Deno.test({ name, ignore: !sessionsRun }, async () => {
    await runSession(steps, env, ({ command, expected }, output, code) => {
      assert(agrees(expected, output), `$ ${command}\n${output}\ninstead of\n${expected}`);
      if (!expected.startsWith("error")) assert.equal(code, 0, `${command}\n${output}`);
    });
  });
}

Deno.test("the REST reference names every route, every error and every scope", async () => {
  const rest = all.find(({ file }) => file === "docs/reference/rest.md")!.text;
  const { ERROR_CODES, SCOPES } = await import("@taskcast/core/protocol");
  const { createTaskcastApp } = await import("@taskcast/server");
  const { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } = await import(
    "@taskcast/core"
  );
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  for (const { method, path } of createTaskcastApp({ engine }).routes) {
    if (method !== "ALL") assert(rest.includes(`\`${method} ${path}\``), `${method} ${path}`);
  }
  for (const code of ERROR_CODES) assert(rest.includes(`\`${code}\``), code);
  const authentication = all.find(({ file }) => file === "docs/reference/authentication.md")!.text;
  for (const scope of SCOPES) assert(authentication.includes(`\`${scope}\``), scope);
});

Deno.test("every test that the table of failures names exists", async () => {
  const table = all.find(({ file }) => file === "docs/failures.md")!.text;
  const named = [...table.matchAll(/`([\w/]+\.ts)`: "([^"]+)"/g)];
  assert(named.length > 30, `${named.length} tests are named`);
  for (const [, file, name] of named) {
    const text = await Deno.readTextFile(new URL(file!, ROOT));
    assert(text.includes(`"${name}`) || text.includes(`: ${name}`), `${file}: ${name}`);
  }
});

Deno.test("the index of decisions has every record once, under its title", async () => {
  const index = all.find(({ file }) => file === "docs/decisions/README.md")!.text;
  const listed = [...index.matchAll(/^- \[(\d{4})\]\(([^)]+)\): ([^\n]+(?:\n {2}[^\n]+)*)/gm)]
    .map(([, number, file, title]) => [file!, `# ${number}: ${title!.replaceAll(/\n +/g, " ")}`]);
  const records: string[][] = [];
  for await (const { name } of Deno.readDir(new URL("docs/decisions/", ROOT))) {
    if (name === "README.md") continue;
    const text = await Deno.readTextFile(new URL(`docs/decisions/${name}`, ROOT));
    records.push([name, text.slice(0, text.indexOf("\n"))]);
  }
  assert.deepEqual(listed.toSorted(), records.toSorted());
});

Deno.test("ARCHITECTURE.md stays short enough to be read at once", () => {
  const { text } = all.find(({ file }) => file === "ARCHITECTURE.md")!;
  const words = text.split(/\s+/).length;
  assert(words <= 2_000, `${words} words`);
});

Deno.test("the files that CONTRIBUTING.md and AGENTS.md name exist", async () => {
  let count = 0;
  for (const document of ["CONTRIBUTING.md", "AGENTS.md"]) {
    const text = await Deno.readTextFile(new URL(document, ROOT));
    for (const [, path] of text.matchAll(/`([a-z_][\w.-]*(?:\/[\w.-]+)+\/?)`/g)) {
      count++;
      await Deno.stat(new URL(path!, ROOT))
        .catch(() => assert.fail(`${document}: there is no ${path}`));
    }
  }
  assert(count > 20, `${count} paths`);
});
