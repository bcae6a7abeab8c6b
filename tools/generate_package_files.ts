// Writes the README and the licence of each package, which JSR and npm show; with --check, fails if
// they are out of date. The root has its own.
import { packageDocs } from "./npm/package_docs.ts";
import { readMembers } from "./npm/members.ts";
import { readme } from "./npm/readme.ts";

const ROOT = new URL("../", import.meta.url);
const checks = Deno.args.includes("--check");
const license = await Deno.readTextFile(new URL("LICENSE", ROOT));
let stale = 0;

for (const member of await readMembers()) {
  if (member.folder.href === ROOT.href) continue;
  const { main, others } = await packageDocs(member);
  await put(new URL("README.md", member.folder), await formatted(readme(member, main, others)));
  await put(new URL("LICENSE", member.folder), license);
}
if (stale > 0) {
  console.error("run: deno task generate");
  Deno.exit(1);
}

async function put(file: URL, text: string): Promise<void> {
  const before = await Deno.readTextFile(file).catch(() => undefined);
  if (before === text) return;
  if (!checks) return await Deno.writeTextFile(file, text);
  stale++;
  console.error(`${file.pathname.slice(ROOT.pathname.length)} is out of date`);
}

async function formatted(markdown: string): Promise<string> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "-"],
    cwd: ROOT,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(markdown));
  await writer.close();
  const { success, stdout } = await output;
  if (!success) throw new Error("deno fmt failed");
  return new TextDecoder().decode(stdout);
}
