// Generates from the schema of configuration files: the JSON Schema for editors, and the table of
// keys in docs/reference/configuration.md. With `--check`, fails if either is out of date.
import { jsonSchemaText } from "../cli/config/schema/json_schema.ts";
import { keysTable } from "../cli/config/schema/reference.ts";

const DOCS = new URL("../docs/reference/", import.meta.url);
const BEGIN = "<!-- keys: made by deno task generate -->\n";
const END = "<!-- end of keys -->\n";

const guide = Deno.readTextFileSync(new URL("configuration.md", DOCS));
const [before, rest] = guide.split(BEGIN) as [string, string];
const after = rest.split(END)[1]!;
const files = {
  "configuration.md": await formatted(`${before}${BEGIN}\n${keysTable()}\n${END}${after}`, "md"),
  "taskcast.config.schema.json": await formatted(jsonSchemaText(), "json"),
};

for (const [name, text] of Object.entries(files)) {
  const url = new URL(name, DOCS);
  if (!Deno.args.includes("--check")) {
    Deno.writeTextFileSync(url, text);
  } else if (Deno.readTextFileSync(url) !== text) {
    console.error(`docs/reference/${name} is out of date: deno task generate`);
    Deno.exit(1);
  }
}

async function formatted(text: string, extension: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", extension, "-"],
    cwd: DOCS,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout } = await child.output();
  if (!success) throw new Error(`cannot format ${extension}`);
  return new TextDecoder().decode(stdout);
}
