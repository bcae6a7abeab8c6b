// Substitutes for functions that Node 20 lacks. Globals stay unchanged: files that use one import
// it from a file that is added to the package.
const LACKING: Readonly<Record<string, { name: string; code: string }>> = {
  "Promise.withResolvers": {
    name: "withResolvers",
    code: `export function withResolvers() {
  let resolve, reject;
  const promise = new Promise((...settle) => [resolve, reject] = settle);
  return { promise, resolve, reject };
}`,
  },
  "Map.groupBy": {
    name: "groupBy",
    code: `export function groupBy(items, keyOf) {
  const groups = new Map();
  let index = 0;
  for (const item of items) {
    const key = keyOf(item, index++);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}`,
  },
  "Array.fromAsync": {
    name: "fromAsync",
    code: `export async function fromAsync(items) {
  const all = [];
  for await (const item of items) all.push(item);
  return all;
}`,
  },
};

/** Name of the file with the substitutes. */
export const FILL_INS = "_node20.js";

/** Contents of {@linkcode FILL_INS}. */
export const FILL_INS_CODE: string = "// For Node 20.\n" +
  Object.values(LACKING).map(({ code }) => `${code}\n`).join("");

/**
 * Returns the code with imports of the substitutes that it uses.
 *
 * @param path Path of the code in the package.
 * @returns The code unchanged if it uses none.
 */
export function fillIn(code: string, path: string): string {
  const names = new Set<string>();
  const filled = Object.entries(LACKING).reduce(
    (text, [call, { name }]) =>
      text.replaceAll(new RegExp(`\\b${call.replace(".", "\\.")}\\(`, "g"), () => {
        names.add(name);
        return `${name}(`;
      }),
    code,
  );
  if (names.size === 0) return code;
  const from = "../".repeat(path.split("/").length - 1) || "./";
  return `import { ${[...names].join(", ")} } from "${from}${FILL_INS}";\n${filled}`;
}
