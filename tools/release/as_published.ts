/**
 * Returns a document without the notes for the time before the packages are published, each between
 * `<!-- until published -->` and `<!-- /until published -->`.
 */
export function asPublished(text: string): string {
  return text.replaceAll(
    /<!-- until published -->\n[\s\S]*?\n<!-- \/until published -->\n\n?/g,
    "",
  );
}
