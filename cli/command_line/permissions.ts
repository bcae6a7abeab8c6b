/** Permissions that every command needs to read its settings. */
const ALWAYS: readonly Deno.PermissionDescriptor["name"][] = ["env", "read"];

/** Additional permissions, by command. */
const MORE: Readonly<Record<string, readonly Deno.PermissionDescriptor["name"][]>> = {
  config: [],
  token: [],
  help: [],
  run: ["net", "run"],
};

/** Additional permissions of all other commands. */
const OTHERS: readonly Deno.PermissionDescriptor["name"][] = ["net", "sys"];

/** Returns whether Deno lets this process read its environment, or would ask. Nothing works without. */
export function mayReadEnvironment(): boolean {
  return !("Deno" in globalThis) || Deno.stdin.isTerminal() ||
    Deno.permissions.querySync({ name: "env" }).state === "granted";
}

/** Returns whether an error means that Deno was not given a permission. */
export function isNotCapable(error: unknown): boolean {
  return "Deno" in globalThis && error instanceof Deno.errors.NotCapable;
}

/**
 * Returns a message about the permissions that a command needs and lacks. A partial permission may be
 * enough, so it is meant for after a refusal.
 *
 * @param args The words after the program's name.
 */
export function permissionHint(args: readonly string[]): string {
  const [command = "start"] = args;
  const isInfo = args.some((arg) => ["-h", "--help", "-v", "--version"].includes(arg));
  const needed = [...ALWAYS, ...(isInfo ? [] : MORE[command] ?? OTHERS)];
  const missing = needed.filter((name) =>
    Deno.permissions.querySync({ name } as Deno.PermissionDescriptor).state !== "granted"
  );
  const flags = (names: readonly string[]) => names.map((name) => `--allow-${name}`).join(" ");
  return `Deno has not given this command the permissions it needs: ${flags(missing)}\n` +
    `run it with -A, as in: deno run -A jsr:@taskcast/cli, or with: deno run ${flags(needed)}` +
    (needed.includes("sys") ? " (SQLite needs --allow-write, too)" : "");
}
