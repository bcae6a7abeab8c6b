/** What every command needs: where settings come from. */
const ALWAYS: readonly Deno.PermissionDescriptor["name"][] = ["env", "read"];

/** What commands need beside that. */
const MORE: Readonly<Record<string, readonly Deno.PermissionDescriptor["name"][]>> = {
  config: [],
  token: [],
  help: [],
  run: ["net", "run"],
};

/** Of commands that are not named. */
const OTHERS: readonly Deno.PermissionDescriptor["name"][] = ["net", "sys"];

/** Whether Deno lets this process read its environment, or asks somebody. Nothing works without. */
export function mayReadEnvironment(): boolean {
  return !("Deno" in globalThis) || Deno.stdin.isTerminal() ||
    Deno.permissions.querySync({ name: "env" }).state === "granted";
}

/** Whether something failed because Deno has not been given a permission. */
export function isNotCapable(error: unknown): boolean {
  return "Deno" in globalThis && error instanceof Deno.errors.NotCapable;
}

/**
 * Says which permissions a command needs that Deno has not been given as a whole. A part may be
 * enough, so this is for when something was refused.
 *
 * @param args What follows the program's name.
 */
export function permissionHint(args: readonly string[]): string {
  const [command = "start"] = args;
  const isInfo = args.some((arg) => ["-h", "--help", "-v", "--version"].includes(arg));
  const wanted = [...ALWAYS, ...(isInfo ? [] : MORE[command] ?? OTHERS)];
  const missing = wanted.filter((name) =>
    Deno.permissions.querySync({ name } as Deno.PermissionDescriptor).state !== "granted"
  );
  const flags = (names: readonly string[]) => names.map((name) => `--allow-${name}`).join(" ");
  return `Deno has not given this command the permissions it needs: ${flags(missing)}\n` +
    `run it with -A, as in: deno run -A jsr:@taskcast/cli, or with: deno run ${flags(wanted)}` +
    (wanted.includes("sys") ? " (SQLite needs --allow-write, too)" : "");
}
