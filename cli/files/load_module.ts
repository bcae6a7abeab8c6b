import { readFileSync } from "node:fs";
import { createRequire, Module } from "node:module";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createLoader } from "./typescript_loader.ts";

/**
 * Loads a program of the user: a configuration or an adapter, in TypeScript on Node, too. A `.js` file
 * is what its text is, an ES module or CommonJS, whatever the `package.json` beside it says.
 *
 * @param path An absolute path.
 * @throws What the program throws.
 */
export async function loadModule(path: string): Promise<{ default?: unknown }> {
  const url = pathToFileURL(path).href;
  // These run TypeScript, and ES modules wherever they are.
  const runsAll = "Deno" in globalThis || "Bun" in globalThis;
  if (path.endsWith(".js")) {
    const text = readFileSync(path, "utf8");
    if (isCommonJs(text)) return loadCommonJs(path, text);
    const isNative = runsAll || isInModulePackage(dirname(path));
    return isNative ? await import(url) : await (await createLoader(url)).import(url);
  }
  // Node 20 does not run TypeScript, and later ones only part of it.
  const isNative = !/\.[cm]?ts$/.test(path) || runsAll;
  return isNative ? await import(url) : await (await createLoader(url)).import(url);
}

/** Names that a program in CommonJS is given. */
const COMMON_JS = ["exports", "require", "module", "__filename", "__dirname"];

/** Whether a program is CommonJS: `import` and `export` are syntax errors in a function. */
function isCommonJs(text: string): boolean {
  try {
    new Function(...COMMON_JS, withoutHashbang(text)); // Compiled, and never called.
    return true;
  } catch {
    return false;
  }
}

function withoutHashbang(text: string): string {
  return text.replace(/^\uFEFF?(#!.*)?/, "");
}

/** As much of a module of CommonJS as loading it by hand takes. */
interface CommonJsModule {
  exports: unknown;
  filename: string;
  paths: string[];
  _compile(text: string, path: string): void;
}

/** What `require` does, which would go by `package.json` first. */
function loadCommonJs(path: string, text: string): { default?: unknown } {
  const module = new Module(path) as unknown as CommonJsModule;
  const untouched = module.exports;
  module.filename = path;
  module.paths = createRequire(path).resolve.paths("any-package") ?? [];
  module._compile(withoutHashbang(text), path);
  const { exports } = module;
  const isEmpty = exports === untouched && Object.keys(untouched as object).length === 0;
  if (isEmpty) return {};
  const { __esModule: isCompiled, default: main } = exports as Record<string, unknown>;
  return { default: isCompiled ? main : exports };
}

/** Whether Node takes the `.js` files of a folder as ES modules. */
function isInModulePackage(folder: string): boolean {
  for (let at = folder, above; at !== above; above = at, at = dirname(at)) {
    let text: string;
    try {
      text = readFileSync(resolve(at, "package.json"), "utf8");
    } catch {
      continue;
    }
    return /"type"\s*:\s*"module"/.test(text);
  }
  return false;
}
