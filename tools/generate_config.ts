// Writes everything that is derived from the description of the configuration in cli/config/schema:
// the JSON Schema for editors, the table of keys in docs/reference/configuration.md, and the types.
// `--check` only tells whether they are current.
import { jsonSchemaText } from "../cli/config/schema/json_schema.ts";
import { keysTable } from "../cli/config/schema/reference.ts";
import { typesText } from "../cli/config/schema/types.ts";

const ROOT = new URL("../", import.meta.url);
const GUIDE = "docs/reference/configuration.md";
const BEGIN = "<!-- keys: made by deno task generate -->\n";
const END = "<!-- end of keys -->\n";

const guide = Deno.readTextFileSync(new URL(GUIDE, ROOT));
const [before, rest] = guide.split(BEGIN) as [string, string];
const after = rest.split(END)[1]!;
const files = {
  [GUIDE]: await formatted(`${before}${BEGIN}\n${keysTable()}\n${END}${after}`, "md"),
  "docs/reference/taskcast.config.schema.json": await formatted(jsonSchemaText(), "json"),
  "core/config/_generated_config.ts": await formatted(typesText(), "ts"),
};

for (const [name, text] of Object.entries(files)) {
  const url = new URL(name, ROOT);
  if (!Deno.args.includes("--check")) {
    Deno.writeTextFileSync(url, text);
  } else if (Deno.readTextFileSync(url) !== text) {
    console.error(`${name} is out of date: deno task generate`);
    Deno.exit(1);
  }
}

async function formatted(text: string, extension: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", extension, "-"],
    cwd: ROOT,
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
