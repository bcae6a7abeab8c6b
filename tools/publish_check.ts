// Asks `deno publish` about each package. With a named root it looks only at the root, so it is
// called once for each member.
const { workspace } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
for (const member of [".", ...workspace]) {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty"],
    cwd: new URL(`../${member}`, import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  const said = new TextDecoder().decode(stderr);
  console.log(`publish ${member}: ${success ? "ok" : "FAILED"}`);
  if (!success) {
    console.error(said);
    Deno.exit(1);
  }
}
