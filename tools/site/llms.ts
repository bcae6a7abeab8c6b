import type { Section } from "./navigation.ts";
import { addressOf } from "./navigation.ts";

/** Longest summary of a page in the index. */
const MAX_SUMMARY = 200;

/**
 * Returns `llms.txt`: every page with its address and what it is about, for programs that read
 * documentation. See https://llmstxt.org.
 */
export function llmsIndex(sections: readonly Section[], summary: string): string {
  const parts = sections.map(({ title, pages }) => {
    const lines = pages.map((page) =>
      `- [${page.title}](${addressOf(page)}): ${shortened(page.summary)}`
    );
    return `## ${title}\n\n${lines.join("\n")}\n`;
  });
  return `# Taskcast\n\n> ${summary}\n\n${parts.join("\n")}`;
}

/** Returns `llms-full.txt`: the text of every page. */
export function llmsFull(sections: readonly Section[]): string {
  return sections.flatMap(({ pages }) =>
    pages.map((page) => `<!-- ${addressOf(page)} -->\n\n${page.text.trim()}\n`)
  ).join("\n");
}

function shortened(text: string): string {
  return text.length <= MAX_SUMMARY ? text : `${text.slice(0, MAX_SUMMARY - 1)}…`;
}
