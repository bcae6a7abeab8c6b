import { resolve } from "node:path";
import { PROFILED } from "./profiled.ts";

/** What is profiled, and where it goes. */
export interface ProfileOptions {
  /** Where profiles are written. */
  folder: string;
  /** Milliseconds of each. */
  ms: number;
  /** How the names of those that are profiled begin. @default all */
  only?: string;
  /** The checkout whose engine and stores they are. @default this one */
  root?: string;
}

/** Profiles one after the other, each in a process of its own. */
export async function profileStores(
  { folder, ms, only = "", root }: ProfileOptions,
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const config = root === undefined
    ? new URL("../../deno.json", import.meta.url).pathname
    : resolve(root, "deno.json"); // Which says what `@taskcast/core` is.
  const program = new URL("./profile.ts", import.meta.url).pathname;
  for (const name of Object.keys(PROFILED)) {
    if (!name.startsWith(only)) continue;
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--config", config, program, name, folder, `${ms}`],
    }).spawn().status;
    if (!success) throw new Error(`${name} was not profiled`);
  }
}
