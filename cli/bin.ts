#!/usr/bin/env node
/**
 * The command `taskcast`: importing it runs the command line of this process and ends the process with
 * its exit code.
 *
 * @module
 */
import process from "node:process";
import { isNotCapable, mayReadEnvironment, permissionHint } from "./command_line/permissions.ts";

const args = process.argv.slice(2);
process.exit(await runCommandLine());

async function runCommandLine(): Promise<number> {
  if (!mayReadEnvironment()) return refuse();
  // Imported late: what it imports reads the environment.
  const { main } = await import("./main.ts");
  try {
    return await main(args);
  } catch (error) {
    if (isNotCapable(error)) return refuse();
    throw error;
  }
}

function refuse(): number {
  for (const line of permissionHint(args).split("\n")) console.error(`error: ${line}`);
  return 1;
}
