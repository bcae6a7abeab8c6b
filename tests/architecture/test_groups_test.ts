import assert from "node:assert/strict";
import { walk } from "../../tools/walk.ts";

// Every test file belongs to one group of `deno.json`, and `deno task test` runs all groups. The
// permissions of unit tests keep them from starting processes and using services.

const ROOT = new URL("../../", import.meta.url);
const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
/** Tasks that repeat tests of the groups with more runs. */
const REPEATS = ["test:soak"];
const groups = Object.keys(tasks).filter((name) =>
  name.startsWith("test:") && !REPEATS.includes(name)
);

/** One `deno test` of a task. */
interface TestCommand {
  flags: string[];
  paths: string[];
  ignored: string[];
}

function commandsOf(group: string): TestCommand[] {
  return tasks[group].command.split("&&").map((command: string) => {
    const own = command.replace("deno run -A tests/npm/with_project.ts ", "");
    const [deno, test, ...words] = own.trim().replaceAll("'", "").split(/\s+/)
      .filter((word) => !word.startsWith("DENO_JOBS=")); // Jobs that wait share the processors.
    assert.deepEqual([deno, test], ["deno", "test"], group);
    const flags = words.filter((word) => word.startsWith("-"));
    const ignored = flags.find((flag) => flag.startsWith("--ignore="))?.slice("--ignore=".length);
    const paths = words.filter((word) => !word.startsWith("-"));
    return { flags, paths, ignored: ignored?.split(",") ?? [] };
  });
}

/**
 * Returns whether a path of a command, which may have wildcards, names a file or one of its
 * folders.
 */
function names(path: string, file: string): boolean {
  const pattern = path.split(/(\*\*\/|\*)/).map((part) =>
    part === "**/" ? "(.*/)?" : part === "*" ? "[^/]*" : RegExp.escape(part)
  );
  return new RegExp(`^${pattern.join("")}(/|$)`).test(file);
}

function runs({ paths, ignored }: TestCommand, file: string): boolean {
  const isNamed = paths.length === 0 || paths.some((path) => names(path, file));
  return isNamed && !ignored.some((path) => names(path, file));
}

async function testFiles(): Promise<string[]> {
  const files: string[] = [];
  for await (const path of walk(ROOT)) {
    if (/_test\.tsx?$/.test(path) && !path.startsWith("dist/")) files.push(path);
  }
  return files;
}

Deno.test("every test file belongs to exactly one group", async () => {
  const commands = groups.flatMap((group) => commandsOf(group));
  const files = await testFiles();
  assert(files.length > 250, `${files.length} files`);
  for (const file of files) {
    assert.equal(commands.filter((command) => runs(command, file)).length, 1, file);
  }
  for (const group of groups) {
    assert(files.some((file) => commandsOf(group).some((command) => runs(command, file))), group);
  }
});

Deno.test("deno task test runs all groups, and CI runs them and all checks", () => {
  const tasksOf = (name: string): string[] => tasks[name].command.split(" ").slice(4);
  assert.deepEqual(tasksOf("test").toSorted(), groups.toSorted());
  const others = ["check", "lint", "publish:check"];
  assert.deepEqual(tasksOf("ok").toSorted(), [...others, ...groups].toSorted());
  assert(
    commandsOf("test:docs").some(({ flags, ignored }) =>
      flags.includes("--doc") && ignored.join() === "benchmarks,**/*_test.ts"
    ),
  );
});

Deno.test("unit tests may start no process, and connect to nothing but this machine", async () => {
  const [command, ...others] = commandsOf("test:unit");
  const { flags } = command!;
  assert.deepEqual(others, []);
  const allowed = flags.filter((flag) => flag.startsWith("--allow-")).map((flag) =>
    flag.split("=")[0]
  );
  const kinds = ["env", "net", "read", "sys", "write"];
  assert.deepEqual(allowed.toSorted(), kinds.map((kind) => `--allow-${kind}`));
  assert(!flags.some((flag) => /^-[^-]*A/.test(flag)), "none has all permissions");
  const hosts = flags.find((flag) => flag.startsWith("--allow-net="))!.split("=")[1]!.split(",");
  for (const host of hosts) {
    assert.match(host, /^(127\.0\.0\.0\/8|\[::1\]|0\.0\.0\.0|localhost|[\w.]+\.invalid)$/);
  }
  // Databases on this machine are excluded, too.
  for (const file of await testFiles()) {
    if (!commandsOf("test:unit").some((command) => runs(command, file))) continue;
    const text = await Deno.readTextFile(new URL(file, ROOT));
    assert.doesNotMatch(text, /testing\/databases\/(postgres|redis|pgbouncer)_/, file);
  }
});

Deno.test("names() matches folders and wildcards", () => {
  assert(names("tests", "tests/a/b_test.ts"));
  assert(!names("tests", "core/tests/b_test.ts"));
  assert(names("**/tests", "adapters/redis/tests/b_test.ts"));
  assert(names("**/tests", "tests/b_test.ts"));
  assert(!names("**/tests", "core/tests.ts"));
  assert(names("*/tests", "core/tests/b_test.ts") && !names("*/tests", "a/b/tests/c_test.ts"));
  assert(names("**/*_test.ts", "core/a_test.ts"));
});
