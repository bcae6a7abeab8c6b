// Runs a command for which the npm packages are built and installed once, so that the test files
// that it runs can use the installed project in parallel.
//
//   deno run -A tests/npm/with_project.ts deno test -A --no-check --parallel tests/npm
import { installProject, PROJECT_VARIABLE } from "./project.ts";

await using project = await installProject();
const [program, ...args] = Deno.args;
const { code } = await new Deno.Command(program === "deno" ? Deno.execPath() : program!, {
  args,
  env: { [PROJECT_VARIABLE]: project.folder },
  stdin: "null",
}).spawn().status;
Deno.exitCode = code;
