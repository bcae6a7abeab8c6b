// Runs `deno doc --lint` over all entry points, in one command because they refer to each other.
// Public declarations must be documented and must not expose private types.
import { packages } from "./packages.ts";

/** Types of npm packages, which `deno doc` mistakes for private ones. */
const OF_NPM = ["Context", "Hono", "Redis", "Cluster"];

const files = (await packages()).flatMap(({ folder, exports }) =>
  Object.values(exports).map((file) => new URL(file, folder).pathname)
);
const { stderr } = await new Deno.Command(Deno.execPath(), {
  args: ["doc", "--lint", ...files],
  env: { NO_COLOR: "1" },
}).output();
const said = new TextDecoder().decode(stderr);
const errors = said.split(/^(?=error\[)/m).slice(1).filter((error) =>
  !OF_NPM.some((name) =>
    error.startsWith("error[private-type-ref]") &&
    error.includes(`references private type '${name}'`)
  )
);
if (errors.length > 0) {
  console.error(errors.join(""));
  Deno.exit(1);
}
console.log(`doc: ${files.length} entry points: ok`);
