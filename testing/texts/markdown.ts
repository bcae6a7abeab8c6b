import { walk } from "../../tools/walk.ts";

/** A fenced block of a document. */
export interface CodeBlock {
  /** Path from the repository's root. */
  file: string;
  /** Line of the opening fence, from 1. */
  line: number;
  language: string;
  /**
   * File name under which the reader saves it: the last word of the fence, as in `js ignore a.mjs`.
   */
  saveAs?: string;
  /** Set if `deno test --doc` ignores it. */
  isIgnored: boolean;
  text: string;
}

/** A document of this repository. */
export interface Document {
  /** Path from the repository's root. */
  file: string;
  text: string;
  blocks: CodeBlock[];
}

const ROOT = new URL("../../", import.meta.url);

/** Reads all documents of this repository. */
export async function documents(): Promise<Document[]> {
  const files = (await Array.fromAsync(walk(ROOT))).filter((file) => file.endsWith(".md"));
  return await Promise.all(
    files.toSorted().map(async (file) => {
      const text = await Deno.readTextFile(new URL(file, ROOT));
      return { file, text, blocks: blocksOf(file, text) };
    }),
  );
}

function blocksOf(file: string, text: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: CodeBlock | undefined;
  text.split("\n").forEach((line, i) => {
    const fence = /^```(.*)$/.exec(line);
    if (fence === null) {
      if (open !== undefined) open.text += line + "\n";
    } else if (open === undefined) {
      const [language = "", ...words] = fence[1]!.trim().split(" ");
      const isIgnored = words.includes("ignore");
      const saveAs = words.find((word) => word !== "ignore");
      open = { file, line: i + 1, language, saveAs, isIgnored, text: "" };
    } else {
      blocks.push(open);
      open = undefined;
    }
  });
  return blocks;
}

/** Returns the targets of a document's links within the repository. */
export function localLinks({ text }: Document): string[] {
  const withoutCode = text.replaceAll(/^```[\s\S]*?^```/gm, "").replaceAll(/`[^`\n]*`/g, "");
  return [...withoutCode.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target));
}
