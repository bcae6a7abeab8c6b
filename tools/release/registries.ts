/** Address of JSR; `deno publish` reads the same variable. */
const JSR = Deno.env.get("JSR_URL") ?? "https://jsr.io/";

/**
 * Returns true if a version of a package is on JSR.
 *
 * @throws {Error} If JSR does not say.
 */
export async function isOnJsr(name: string, version: string): Promise<boolean> {
  const response = await fetch(new URL(`${name}/${version}_meta.json`, JSR));
  await response.body?.cancel();
  if (response.ok) return true;
  if (response.status === 404) return false;
  throw new Error(`JSR answers ${response.status} about ${name}`);
}

/**
 * Returns true if a version of a package is on npm.
 *
 * @throws {Error} If npm does not say.
 */
export async function isOnNpm(name: string, version: string): Promise<boolean> {
  const { success, stdout, stderr } = await new Deno.Command("npm", {
    args: ["view", "--prefer-online", `${name}@${version}`, "version"],
  }).output();
  // npm prints nothing for a missing version, and an error for a missing package.
  if (success) return new TextDecoder().decode(stdout).trim() === version;
  const error = new TextDecoder().decode(stderr);
  if (error.includes("E404")) return false;
  throw new Error(`npm view ${name} fails: ${error}`);
}
