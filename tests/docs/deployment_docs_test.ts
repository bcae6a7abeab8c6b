import assert from "node:assert/strict";
import { readYaml } from "../../cli/config/file/read_yaml.ts";
import { runCli } from "../../testing/servers/cli.ts";
import { checkConfig } from "../../testing/texts/config_check.ts";
import type { Document } from "../../testing/texts/markdown.ts";
import { documents } from "../../testing/texts/markdown.ts";
import { tempFolder } from "../../testing/temp_file.ts";

// The deployment guides of both languages have valid configurations and the same content.

const all = await documents();
const [english, chinese] = ["docs/guides/deployment.md", "docs/guides/deployment.zh.md"]
  .map((file) => all.find((document) => document.file === file)!) as [Document, Document];

/** Returns a document's configurations: file name and text. */
function configurationsOf({ blocks }: Document): [name: string, text: string][] {
  return blocks.flatMap(({ language, text }): [string, string][] =>
    language === "yaml"
      ? [["taskcast.config.yaml", text]]
      : text.includes("satisfies TaskcastConfig")
      ? [["taskcast.config.ts", text]]
      : []
  );
}

const ENV = {
  JWT_SECRET: "a secret of more than thirty-two bytes",
  REDIS_URL: "redis://127.0.0.1",
  DATABASE_URL: "postgres://127.0.0.1/tasks",
  SENTRY_DSN: "https://key@sentry.example.com/1",
  AUDIT_SECRET: "a secret of the audit",
};

for (const document of [english, chinese]) {
  Deno.test(`${document.file}: start accepts each configuration`, async () => {
    const configurations = configurationsOf(document);
    assert.deepEqual(configurations.map(([name]) => name), [
      "taskcast.config.yaml",
      "taskcast.config.yaml",
      "taskcast.config.ts",
    ]);
    for (const [name, text] of configurations) {
      await using folder = await tempFolder({ [name]: text });
      // Programs read `process.env`, so they run in their own process.
      const run = name.endsWith(".ts") ? runCli : undefined;
      const { ok, errors, warnings, settings } = await checkConfig(folder.path, [], ENV, run);
      // This warning is the purpose of the rule.
      const others = warnings.filter((text) => !text.includes("also deletes archived history"));
      assert.deepEqual({ ok, errors, others }, { ok: true, errors: undefined, others: [] }, text);
      assert.equal(settings["adapters.shortTerm.provider"]?.source.from, "file");
    }
  });
}

/** Returns the settings of a document, which must not differ between languages. */
function settingsOf(document: Document): unknown[] {
  return document.blocks.filter(({ language }) => language === "yaml").map(({ text }) =>
    JSON.parse(JSON.stringify(readYaml(text), (key, value) => key === "name" ? "" : value))
  );
}

/** Returns the code in the first column of tables, and the targets of links. */
function namesIn({ text }: Document) {
  const rows = [...text.matchAll(/^\| `(\w+)` /gm)].map(([, name]) => name);
  const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target]) => target!)
    .filter((target) => !/^(deployment|#)/.test(target));
  return { rows, links };
}

Deno.test("the deployment guides have the same content in both languages", () => {
  assert.deepEqual(settingsOf(chinese), settingsOf(english));
  assert.deepEqual(
    chinese.blocks.map(({ language }) => language),
    english.blocks.map(({ language }) => language),
  );
  assert.deepEqual(namesIn(chinese), namesIn(english));
  const outline = ({ text }: Document) =>
    [...text.matchAll(/^(#+ |- \[ \] |- |\|)/gm)].map(([, mark]) => mark);
  assert.deepEqual(outline(chinese), outline(english));
});
