/** An invalid setting; the message says which and why, one line for each. */
export class SettingsError extends Error {}

/** Returns the first line of a message; the rest is for readers of stacks. */
export function firstLine(text: string): string {
  return text.split("\n")[0]!;
}
