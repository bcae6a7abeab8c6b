/** A locale that does not order texts by their bytes, as environment variables. */
export interface OtherLocale {
  env: Record<string, string>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Returns a locale that this machine has or can create; `undefined` if there is none. */
export async function otherLocale(): Promise<OtherLocale | undefined> {
  const known = await run("locale", "-a");
  const name = known?.split("\n").find((line) => /^(en|de|fr)_[A-Z]{2}\.utf-?8$/i.test(line));
  if (name !== undefined) return { env: { LC_ALL: name }, async [Symbol.asyncDispose]() {} };
  const folder = await Deno.makeTempDir({ prefix: "taskcast-locale-" });
  const remove = () => Deno.remove(folder, { recursive: true });
  const made = await run("localedef", "-i", "en_US", "-f", "UTF-8", `${folder}/en_US.UTF-8`);
  if (made === undefined) return void await remove();
  return { env: { LC_ALL: "en_US.UTF-8", LOCPATH: folder }, [Symbol.asyncDispose]: remove };
}

async function run(program: string, ...args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(program, { args }).output();
    return success ? new TextDecoder().decode(stdout) : undefined;
  } catch {
    return undefined; // The program does not exist.
  }
}
