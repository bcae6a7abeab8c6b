// Finds misspelt words in committed files, by the list of common misspellings that cspell uses. A
// list of wrong words instead of right ones needs no names and abbreviations, so only the few
// intended misspellings have to be maintained.
import { run } from "./npm/run.ts";

const LIST = "@cspell/dict-en-common-misspellings@2.2.6";
const TEXT = /\.(md|ts|tsx|js|mjs|lua|sql|json|jsonc|yaml|yml|html|vue)$/;
const GENERATED = /(^|\/)(_generated_|deno\.lock|package-lock\.json)/;

/** Words of the list that are here on purpose: input of tests, and names. */
const ALLOWED = new Set([
  ...["algoritm", "audiance", "chek", "datas", "famly", "inlcude", "levl", "pasword", "secert"],
  ...["shema", "storge", "strat", "tpye", "typs"],
  "alle", // German.
  "mport", // The rest of `import` after an escape.
]);

const root = new URL("../", import.meta.url);
const corrections = await readList();
const files = (await run("git", ["ls-files"], { cwd: root })).trim().split("\n")
  .filter((file) => TEXT.test(file) && !GENERATED.test(file));

let found = 0;
for (const file of files) {
  const lines = (await Deno.readTextFile(new URL(file, root))).split("\n");
  lines.forEach((line, at) => {
    for (const word of wordsOf(line)) {
      const correction = corrections.get(word);
      if (correction === undefined) continue;
      found++;
      console.error(`${file}:${at + 1}: "${word}" may be meant as ${correction}`);
    }
  });
}
if (found > 0) {
  console.error(
    "A misspelling on purpose, such as input of a test, belongs to ALLOWED in tools/spelling.ts",
  );
  Deno.exit(1);
}
console.log(`spelling: ${files.length} files: ok`);

/** Returns the words of a line in lower case, with names split at capitals. */
function wordsOf(line: string): string[] {
  return line.replaceAll(/([a-z])([A-Z])/g, "$1 $2").toLowerCase().match(/[a-z]{4,}/g) ?? [];
}

/** Returns misspelt words with their corrections. */
async function readList(): Promise<Map<string, string>> {
  const folder = await Deno.makeTempDir();
  try {
    const options = ["--silent", "--prefer-offline", "--pack-destination", folder];
    const archive = (await run("npm", ["pack", LIST, ...options], { cwd: folder })).trim();
    await run("tar", ["-xzf", archive, "package/dict/dict-en.json"], { cwd: folder });
    const text = await Deno.readTextFile(`${folder}/package/dict/dict-en.json`);
    const { dictionaryDefinitions: [{ flagWords, suggestWords }] } = JSON.parse(text);
    const pairs: string[] = [...flagWords, ...suggestWords];
    return new Map(pairs.flatMap((pair) => {
      const [word, correction] = pair.split("->") as [string, string | undefined];
      return correction === undefined || ALLOWED.has(word)
        ? []
        : [[word.toLowerCase(), correction]];
    }));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
