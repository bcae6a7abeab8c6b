/** The origins that a configuration names: a list, or a text with commas between; `*` is all. */
export function originsOf(origin: string | readonly string[]): "*" | string[] {
  const origins = [origin].flat().flatMap((text) => text.split(",")).map((text) => text.trim());
  return origins.includes("*") ? "*" : origins;
}
