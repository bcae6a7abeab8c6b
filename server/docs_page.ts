export const DOCS_PAGE_HEADERS: Readonly<Record<string, string>> = {};
export function docsPage(): string {
  return "<!doctype html><title>Taskcast API</title>";
}
