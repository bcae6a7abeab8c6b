let library: Promise<string | undefined> | undefined;

/**
 * The library that keeps a program from sleeping while it waits for sockets, to be loaded with
 * `LD_PRELOAD`; `undefined` where it cannot be made: it takes Linux and a C compiler.
 */
export function busyPollLibrary(): Promise<string | undefined> {
  return library ??= compile();
}

async function compile(): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const folder = await Deno.makeTempDir();
  globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  const path = `${folder}/busy_poll.so`;
  try {
    const { success } = await new Deno.Command("cc", {
      args: ["-shared", "-fPIC", "-O2", "-o", path, "busy_poll.c", "-ldl"],
      cwd: new URL("./", import.meta.url),
      stderr: "null",
    }).output();
    return success ? path : undefined;
  } catch {
    return undefined; // No compiler.
  }
}
