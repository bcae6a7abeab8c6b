#!/usr/bin/env -S deno run -A
/**
 * The command line of Taskcast: `deno run -A jsr:@taskcast/cli`.
 *
 * @module
 */
import process from "node:process";
import { main } from "./main.ts";

export { main };

if (import.meta.main) {
  process.exit(await main(process.argv.slice(2)));
}
