import { dirname } from "node:path";
import ts from "typescript";
import { type Member, readMembers } from "../../tools/npm/members.ts";
import { exampleFolders } from "../../tools/example_folders.ts";
import { run } from "../../tools/npm/run.ts";
import { walk } from "../../tools/walk.ts";

/** The environment variable that names a project which several test files share. */
export const PROJECT_VARIABLE = "TASKCAST_TEST_PROJECT";

/** A user's project with every package installed, and the examples in `examples/`. */
export interface Project {
  /** Outside of the workspace; ends with a slash. */
  folder: string;
  members: Member[];
  /** Writes a file. */
  write(path: string, text: string): Promise<void>;
  /** Writes a TypeScript file of these tests as JavaScript that every Node runs. */
  writeScript(path: string, source: URL): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const ROOT = new URL("../../", import.meta.url);

/**
 * Packages that the guide needs, also for type checks. They take precedence over those of the
 * examples.
 */
const BESIDES: Readonly<Record<string, string>> = {
  "@arethetypeswrong/core": "~0.18.5",
  "@deno/kv": "0.14",
  "@sentry/node": "11",
  "@types/node": "20",
  fastify: "5",
  hono: "4",
  ioredis: "5",
  publint: "~0.3.0",
  typescript: "~5.9",
};

/** Types of peers that contain none. */
const TYPES_OF: Readonly<Record<string, string>> = { react: "@types/react" };

/** Returns the third-party packages with their ranges. */
async function neededBesides(members: readonly Member[]): Promise<Map<string, string>> {
  const needed = new Map<string, string>();
  for (const peer of members.flatMap(({ npm }) => Object.keys(npm.peerDependencies ?? {}))) {
    if (Object.hasOwn(TYPES_OF, peer)) needed.set(TYPES_OF[peer]!, "*");
  }
  const examples = (await exampleFolders()).map(({ dependencies }) => dependencies);
  for (const [name, range] of [...examples, BESIDES].flatMap(Object.entries<string>)) {
    if (!members.some((member) => member.name === name)) needed.set(name, range);
  }
  return needed;
}

/**
 * Returns the project that `deno task test:npm` shares between test files. Without it, installs one,
 * which lasts as long as the calling test file.
 */
export async function openProject(): Promise<Project> {
  const shared = Deno.env.get(PROJECT_VARIABLE);
  if (shared !== undefined) return projectIn(shared, await readMembers());
  const project = await installProject();
  globalThis.addEventListener("unload", () => {
    Deno.removeSync(project.folder, { recursive: true });
  });
  return project;
}

/** Builds the packages and installs them in an empty folder, with a copy of the examples. */
export async function installProject(): Promise<Project> {
  const folder = await Deno.makeTempDir({ prefix: "taskcast-project-" }) + "/";
  const packed = `${folder}packed/`;
  await run(Deno.execPath(), ["run", "-A", "tools/npm/main.ts", "--out", packed], { cwd: ROOT });
  const tarballs = [];
  for await (const { name } of Deno.readDir(packed)) tarballs.push(`./packed/${name}`);
  const members = await readMembers();
  const besides = [...await neededBesides(members)].map(([name, range]) => `${name}@${range}`);
  const project = projectIn(folder, members);
  await project.write("package.json", '{ "name": "project", "type": "module" }\n');
  const options = ["--no-audit", "--no-fund", "--prefer-offline", "--install-links"];
  await run("npm", ["install", ...options, ...tarballs, ...besides], { cwd: folder });
  for (const { name, url } of await exampleFolders()) await copy(url, `${folder}examples/${name}`);
  return project;
}

function projectIn(folder: string, members: Member[]): Project {
  return {
    folder,
    members,
    write: (path, text) => Deno.writeTextFile(folder + path, text),
    async writeScript(path, source) {
      await Deno.writeTextFile(folder + path, toJavaScript(await Deno.readTextFile(source)));
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

async function copy(from: URL, to: string): Promise<void> {
  for await (const path of walk(from)) {
    await Deno.mkdir(dirname(`${to}/${path}`), { recursive: true });
    await Deno.copyFile(new URL(path, from), `${to}/${path}`);
  }
}

/** Returns TypeScript without its types. */
export function toJavaScript(text: string): string {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  return ts.transpileModule(text, { compilerOptions }).outputText;
}
