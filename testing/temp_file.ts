import { dirname } from "node:path";

/** Creates a folder with these files that is removed when it is disposed. */
export async function tempFolder(
  files: Readonly<Record<string, string>> = {},
): Promise<{ path: string; [Symbol.asyncDispose](): Promise<void> }> {
  const path = await Deno.realPath(await Deno.makeTempDir());
  for (const [name, text] of Object.entries(files)) {
    await Deno.mkdir(dirname(`${path}/${name}`), { recursive: true });
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Runs `use` with the path of a file that does not exist yet. */
export async function withFile(use: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(`${folder}/tasks.db`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
