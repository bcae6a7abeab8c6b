// Runs the tests of the npm packages: builds and installs the packages once, and lets test files
// use the installed project in parallel.
//
//   deno run -A tests/npm/with_project.ts [FILE…]
import { installProject, PROJECT_VARIABLE } from "./project.ts";

await using project = await installProject();
const files = Deno.args.length > 0 ? Deno.args : ["tests/npm"];
const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["test", "-A", "--no-check", "--parallel", ...files],
  cwd: new URL("../../", import.meta.url),
  env: { [PROJECT_VARIABLE]: project.folder },
  stdin: "null",
}).spawn().status;
Deno.exitCode = code;
