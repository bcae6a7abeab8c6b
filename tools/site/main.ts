// Builds a static site of the documents in dist/site: local search, both languages, an API reference for
// each package, and llms.txt. A link that leads nowhere fails the build.
import { dirname } from "node:path";
import { run } from "../npm/run.ts";
import { packages } from "../packages.ts";
import { llmsFull, llmsIndex } from "./llms.ts";
import type { Section } from "./navigation.ts";
import { addressOf, sectionsOf } from "./navigation.ts";
import { readPages, withSiteLinks } from "./pages.ts";

const VITEPRESS = "vitepress@^1.6.4";

const ROOT = new URL("../../", import.meta.url);
const OUT = new URL("../../dist/site/", import.meta.url);

const work = await Deno.makeTempDir({ prefix: "taskcast-site-" });
try {
  const pages = await readPages();
  const sections = sectionsOf(pages);
  for (const page of pages) {
    const { text, files } = withSiteLinks(page, pages);
    await write(page.path, text);
    for (const file of files) await copy(file, `public/files/${file}`);
  }
  await write(".vitepress/config.mjs", configuration(sections));
  const summary = pages.find(({ file }) => file === "README.md")!.summary;
  await write("public/llms.txt", llmsIndex(sections, summary));
  await write("public/llms-full.txt", llmsFull(sections));
  await writeApiReference();
  await write("package.json", '{ "name": "site", "private": true, "type": "module" }\n');
  await run("npm", ["install", "--no-audit", "--no-fund", VITEPRESS], { cwd: work });
  await run("npx", ["--no-install", "vitepress", "build"], { cwd: work });
  await Deno.remove(OUT, { recursive: true }).catch(() => {});
  await Deno.mkdir(dirname(OUT.pathname), { recursive: true });
  await run("cp", ["-r", `${work}/.vitepress/dist`, OUT.pathname], { cwd: work });
  console.log(`${pages.length} pages in ${OUT.pathname}`);
} finally {
  await Deno.remove(work, { recursive: true });
}

async function write(path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(`${work}/${path}`), { recursive: true });
  await Deno.writeTextFile(`${work}/${path}`, text);
}

async function copy(file: string, path: string): Promise<void> {
  await Deno.mkdir(dirname(`${work}/${path}`), { recursive: true });
  await run("cp", ["-r", file, `${work}/${path}`], { cwd: ROOT });
}

/** Writes what each package exports, with its documentation, and a page that lists the packages. */
async function writeApiReference(): Promise<void> {
  const lines = ["# API", ""];
  await Deno.mkdir(`${work}/public/api`, { recursive: true });
  for (const { name, folder, exports } of await packages()) {
    const entries = Object.entries(exports)
      .filter(([entry]) => entry !== "./internal" && entry !== "./bin")
      .map(([, file]) => new URL(file, folder).pathname);
    const output = `api/${name.split("/")[1]}`;
    const options = [`--name=${name}`, `--output=${work}/public/${output}`];
    await run(Deno.execPath(), ["doc", "--html", ...options, ...entries], { cwd: ROOT });
    lines.push(`- [${name}](/${output}/index.html)`);
  }
  await write("api/index.md", `${lines.join("\n")}\n`);
}

/** Returns the configuration of VitePress. */
function configuration(sections: readonly Section[]): string {
  const group = ({ title, pages }: Section) => ({
    text: title,
    collapsed: ["Decisions", "Packages", "Examples", "Project"].includes(title),
    items: pages.map((page) => ({ text: page.title, link: addressOf(page) })),
  });
  const [chinese, ...english] = sections;
  const first = (title: string) =>
    addressOf(sections.find((some) => some.title === title)!.pages[0]!);
  const nav = ["Tutorial", "Guides", "Reference", "Explanation"]
    .map((title) => ({ text: title, link: first(title) }));
  const config = {
    title: "Taskcast",
    description: "Long-lived tasks that people watch",
    lastUpdated: false,
    // Copied files are no pages.
    srcExclude: ["public/**"],
    // Documents have angle brackets in their text.
    markdown: { html: false },
    themeConfig: {
      search: { provider: "local" },
      outline: [2, 3],
      nav: [...nav, { text: "API", link: "/api/" }],
      sidebar: english.map(group),
    },
    locales: {
      root: { label: "English", lang: "en" },
      zh: {
        label: "中文",
        lang: "zh-CN",
        link: "/zh/",
        themeConfig: { sidebar: [group(chinese!), ...english.map(group)] },
      },
    },
  };
  // VitePress does not see files and the API reference, and readers start what is on their own machine.
  const ignored = String.raw`[/^\/(files|api)\//, /^http:\/\/localhost:/]`;
  return `export default { ...${JSON.stringify(config)}, ignoreDeadLinks: ${ignored} };\n`;
}
