/** Documentation of a module. */
export interface ModuleDoc {
  /** First sentence, on one line. */
  summary: string;
  /** The whole text, as Markdown. */
  text: string;
}

/**
 * Returns the `@module` comment of a module.
 *
 * @throws {Error} If there is none.
 */
export function moduleDoc(source: string, name: string): ModuleDoc {
  const [, comment] = /\/\*\*\n((?: \*.*\n)*?) \* @module\n \*\//.exec(source) ?? [];
  if (comment === undefined) throw new Error(`${name} has no @module comment`);
  const text = comment.replaceAll(/^ \* ?/gm, "").replaceAll(/^@example ?(.*)$/gm, "**$1**\n")
    .trim();
  const [paragraph] = text.split("\n\n");
  const [sentence] = paragraph!.replaceAll("\n", " ").split(/(?<=\.) /);
  return { summary: sentence!.replaceAll("`", "").replace(/\.$/, ""), text };
}
