import type { Page } from "./pages.ts";

/** A part of the site, with its pages in reading order. */
export interface Section {
  title: string;
  pages: Page[];
}

/** The sections by the paths of their pages; the first that matches has a page. */
const SECTIONS: readonly [title: string, files: RegExp][] = [
  ["中文", /\.zh\.md$/],
  ["Tutorial", /^docs\/tutorial\//],
  ["Guides", /^docs\/guides\/|^docs\/troubleshooting\.md$/],
  ["Reference", /^docs\/reference\/|^docs\/(performance|failures)\.md$/],
  ["Explanation", /^docs\/explanation\/|^ARCHITECTURE\.md$/],
  ["Decisions", /^docs\/decisions\//],
  ["Packages", /^(core|server|clients|integrations|adapters|cli)\/.*README\.md$/],
  ["Examples", /^examples\//],
  ["Project", /./],
];

/** Returns the sections. Each page is in exactly one, in the order in which its section's README names it. */
export function sectionsOf(pages: readonly Page[]): Section[] {
  return SECTIONS.map(([title, files], at) => {
    const own = pages.filter(({ file }) =>
      files.test(file) && !SECTIONS.slice(0, at).some(([, others]) => others.test(file))
    );
    const index = own.find(({ file }) => /^docs\/\w+\/README\.md$/.test(file));
    const place = (page: Page): number => {
      if (page === index || page.file === "README.md") return -1;
      const found = index?.text.indexOf(`(${page.file.split("/").slice(2).join("/")})`) ?? -1;
      return found === -1 ? Infinity : found;
    };
    return {
      title,
      pages: own.toSorted((a, b) => order(place(a), place(b)) || (a.file < b.file ? -1 : 1)),
    };
  });
}

function order(a: number, b: number): number {
  return a === b ? 0 : a - b;
}

/** Returns the address of a page in the site. */
export function addressOf({ path }: Page): string {
  return `/${path.replace(/(^|\/)index\.md$/, "$1").replace(/\.md$/, ".html")}`;
}
