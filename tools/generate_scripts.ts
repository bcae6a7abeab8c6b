// Generates adapters/redis/_generated_scripts.ts from the Lua files, because packages cannot load
// text files. With `--check`, fails if it is out of date.
const FOLDER = new URL("../adapters/redis/", import.meta.url);
const TARGET = new URL("_generated_scripts.ts", FOLDER);

const read = (path: string) => Deno.readTextFileSync(new URL(`scripts/${path}.lua`, FOLDER));
const names = [...Deno.readDirSync(new URL("scripts/", FOLDER))]
  .filter(({ isFile }) => isFile)
  .map(({ name }) => name.replace(".lua", ""))
  .toSorted();

/** Returns a script with each `--@include name` replaced by the shared part. */
const whole = (path: string): string =>
  read(path).replace(/^--@include (\w+)$/gm, (_, name) => whole(`shared/${name}`));

/** Removes comments and indentation. */
const compact = (lua: string) =>
  lua.split("\n").map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("--"))
    .join("\n");

const lines = [
  "// Made by tools/generate_scripts.ts from scripts/*.lua; edit these.",
  "export const SCRIPTS = {",
  ...names.map((name) => `  ${name}: ${JSON.stringify(`${compact(whole(name))}\n`)},`),
  "} as const;",
  "",
];
const text = lines.join("\n");
if (!Deno.args.includes("--check")) {
  Deno.writeTextFileSync(TARGET, text);
} else if (Deno.readTextFileSync(TARGET) !== text) {
  console.error("adapters/redis/_generated_scripts.ts is out of date: deno task generate");
  Deno.exit(1);
}
