/** Warns that tests are skipped because something is missing; in CI that is an error. */
export function leftOut(what: string, wants: string): void {
  const message = `${what} are left out: they want ${wants}`;
  if (Deno.env.get("CI") === "true") throw new Error(message);
  console.warn(`\n*** ${message} ***\n`);
}
