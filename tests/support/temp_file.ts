/** Runs `use` with the path of a file that is not there yet. */
export async function withFile(use: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await use(`${folder}/tasks.db`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
