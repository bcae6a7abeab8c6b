import ts from "typescript";
import { type Member, readMembers } from "../../tools/npm/members.ts";
import { run } from "../../tools/npm/run.ts";

/** A project of somebody else, with every package installed. */
export interface Project {
  /** Outside of the workspace; ends with a slash. */
  folder: string;
  members: Member[];
  /** Puts a file there. */
  write(path: string, text: string): Promise<void>;
  /** Puts a TypeScript file of these tests there, as the JavaScript that every Node runs. */
  writeScript(path: string, source: URL): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const ROOT = new URL("../../", import.meta.url);

/** What the user of the guide installs besides, and what type-checks it. */
const BESIDES = [
  "@deno/kv@0.14",
  "@sentry/node@11",
  "@types/node@20",
  "hono@4",
  "ioredis@5",
  "typescript@~5.9",
];

/** Types of peers that have none of their own. */
const TYPES_OF: Readonly<Record<string, string>> = { react: "@types/react" };

/** Builds the packages and installs them in an empty folder. */
export async function installProject(): Promise<Project> {
  const folder = await Deno.makeTempDir({ prefix: "taskcast-project-" }) + "/";
  const packed = `${folder}packed/`;
  await run(Deno.execPath(), ["run", "-A", "tools/npm/main.ts", "--out", packed], { cwd: ROOT });
  const tarballs = [];
  for await (const { name } of Deno.readDir(packed)) tarballs.push(`./packed/${name}`);
  const members = await readMembers();
  const types = members.flatMap(({ npm }) => Object.keys(npm.peerDependencies ?? {}))
    .flatMap((peer) => TYPES_OF[peer] ?? []);
  const write = (path: string, text: string) => Deno.writeTextFile(folder + path, text);
  await write("package.json", '{ "name": "project", "type": "module" }\n');
  const options = ["--no-audit", "--no-fund", "--prefer-offline", "--install-links"];
  await run("npm", ["install", ...options, ...tarballs, ...BESIDES, ...new Set(types)], {
    cwd: folder,
  });
  return {
    folder,
    members,
    write,
    async writeScript(path, source) {
      const text = await Deno.readTextFile(source);
      await write(path, toJavaScript(text));
    },
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** TypeScript without its types. */
export function toJavaScript(text: string): string {
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  return ts.transpileModule(text, { compilerOptions }).outputText;
}
