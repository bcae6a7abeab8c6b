import { dirname, join, normalize } from "node:path/posix";
import { walk } from "../walk.ts";

/** A document as a page of the site. */
export interface Page {
  /** Path in the repository. */
  file: string;
  /** Path of its Markdown file in the site. */
  path: string;
  /** Its first heading. */
  title: string;
  /** Its first paragraph, on one line. */
  summary: string;
  /** Its Markdown, as it is in the repository. */
  text: string;
}

const ROOT = new URL("../../", import.meta.url);

/** Files for people on a host of repositories, which no reader of the documentation needs. */
const LEFT_OUT = /^(AGENTS|core\/streams\/README)\.md$|^(dist|tests|testing|tools)\//;

/** Reads every document that is a page of the site. */
export async function readPages(): Promise<Page[]> {
  const files = (await Array.fromAsync(walk(ROOT))).filter((file) => file.endsWith(".md"));
  const pages = files.filter((file) => !LEFT_OUT.test(file)).toSorted();
  return await Promise.all(pages.map(async (file) => {
    const text = await Deno.readTextFile(new URL(file, ROOT));
    return { file, path: pathOf(file), title: titleOf(text), summary: summaryOf(text), text };
  }));
}

/** Chinese pages have a folder of their own, as the site's generator wants it. */
function pathOf(file: string): string {
  const path = file.replace(/README(\.zh)?\.md$/, "index$1.md");
  return path.endsWith(".zh.md") ? `zh/${path.replace(".zh.md", ".md")}` : path;
}

function titleOf(text: string): string {
  const [, title = ""] = /^# (.+)$/m.exec(text) ?? [];
  return title.replaceAll("`", "");
}

function summaryOf(text: string): string {
  const paragraphs = text.replace(/<!-- until published -->.*?<!-- \/until published -->/s, "")
    .split(/\n\n+/);
  // Not a line that only links to the page in another language.
  const first = paragraphs.find((paragraph) => /^[\p{L}\p{N}`*_(][^\n]{30}/u.test(paragraph)) ?? "";
  return first.replaceAll(/\s+/g, " ").replaceAll(/\[([^\]]+)\]\([^)]+\)/g, "$1");
}

/** The Markdown of a page for the site, and the files that it links to besides pages. */
export interface SitePage {
  text: string;
  files: string[];
}

/** Returns a page without comments, with links that lead to where the site serves their targets. */
export function withSiteLinks(page: Page, pages: readonly Page[]): SitePage {
  const byFile = new Map(pages.map((other) => [other.file, other]));
  const files = new Set<string>();
  const target = (link: string): string => {
    const [path, anchor] = link.split("#") as [string, string?];
    if (path === "") return link;
    const file = normalize(join(dirname(page.file), path)).replace(/\/$/, "");
    const found = byFile.get(file) ?? byFile.get(`${file}/README.md`);
    const hash = anchor === undefined ? "" : `#${anchor}`;
    if (found !== undefined) return `/${found.path}${hash}`;
    if (file === "api") return "/api/";
    files.add(file);
    return `/files/${file}`;
  };
  let isCode = false;
  const lines = page.text.split("\n").map((line) => {
    if (line.startsWith("```")) isCode = !isCode;
    if (isCode) return line;
    if (line.startsWith("<!--")) return "";
    return line.replaceAll(
      /\]\((?![a-z]+:)([^)\s]+)\)/g,
      (_, link: string) => `](${target(link)})`,
    );
  });
  return { text: lines.join("\n"), files: [...files] };
}
