#!/usr/bin/env -S deno run -A
/**
 * The command line of Taskcast: `npx taskcast`, or `deno run -A jsr:@taskcast/cli`.
 *
 * @module
 */
export { main } from "./main.ts";

// Node 20 has no `import.meta.main`; there the command starts with `bin.ts`.
if (import.meta.main) await import("./bin.ts");
