// Asks `deno doc --lint` about everything that can be imported, in one command as it wants it. What
// is public must be documented, and must not show what is private.
import { packages } from "./packages.ts";

/** Types of npm packages, which `deno doc` takes for private. */
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
