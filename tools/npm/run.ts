/**
 * Runs a program to its end.
 *
 * @returns Its standard output.
 * @throws {Error} If it fails; the message contains its output.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: { cwd: URL | string; env?: Record<string, string> },
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    ...options,
    env: { NO_COLOR: "1", ...options.env },
    stdin: "null",
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) {
    throw new Error(`${program} ${args.join(" ")}\n${decode(stdout)}\n${decode(stderr)}`);
  }
  return decode(stdout);
}
