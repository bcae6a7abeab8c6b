/**
 * A document as it is once the packages are published: without the notes that say how to do without
 * them, each between `<!-- until published -->` and `<!-- /until published -->`.
 */
export function asPublished(text: string): string {
  return text.replaceAll(
    /<!-- until published -->\n[\s\S]*?\n<!-- \/until published -->\n\n?/g,
    "",
  );
}
