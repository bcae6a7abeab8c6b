// Runs `deno publish --dry-run` in each package. With a named root it covers only the root, so it
// is run once for each member.
import { packages } from "./packages.ts";

/** Files that JSR shows beside the code. */
const SHOWN = ["README.md", "LICENSE"];

for (const { name, folder } of await packages()) {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty"],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  console.log(`publish ${name}: ${success ? "ok" : "FAILED"}`);
  if (!success) {
    console.error(new TextDecoder().decode(stderr));
    Deno.exit(1);
  }
  const listed = new TextDecoder().decode(stderr);
  const missing = SHOWN.filter((file) => !listed.includes(`${folder.pathname}${file} `));
  if (missing.length > 0) {
    console.error(`${name} has no ${missing.join(" and no ")}`);
    Deno.exit(1);
  }
}
