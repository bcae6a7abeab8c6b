import { readFileSync } from "node:fs";
import { createRequire, Module } from "node:module";
import { dirname, resolve } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * Loads a configuration that is a program: its default export, or the result if that is a function.
 *
 * @throws What the program throws.
 */
export async function loadDefault(path: string): Promise<unknown> {
  const module = await loadModule(path);
  if (!("default" in module)) throw new Error("it has no default export");
  const exported = await module.default;
  return typeof exported === "function" ? await exported() : exported;
}

/**
 * Loads a module of the user: a configuration or an adapter, on Node also in TypeScript. A `.js` file
 * is treated as what its text is, an ES module or CommonJS, whatever its `package.json` says.
 *
 * @param path An absolute path.
 * @throws What the program throws.
 */
export async function loadModule(path: string): Promise<{ default?: unknown }> {
  const url = pathToFileURL(path).href;
  // These runtimes run TypeScript, and ES modules in any folder.
  const runsAll = "Deno" in globalThis || "Bun" in globalThis;
  if (path.endsWith(".js")) {
    const text = readFileSync(path, "utf8");
    if (isCommonJs(text)) return loadCommonJs(path, text);
    const isNative = runsAll || isInModulePackage(dirname(path));
    return isNative ? await import(url) : await (await createLoader(url)).import(url);
  }
  // Node 20 does not run TypeScript, and later versions only a part of it.
  const isNative = !/\.[cm]?ts$/.test(path) || runsAll;
  return isNative ? await import(url) : await (await createLoader(url)).import(url);
}

/** Names in scope of a CommonJS module. */
const COMMON_JS = ["exports", "require", "module", "__filename", "__dirname"];

/** Returns whether a program is CommonJS: `import` and `export` are syntax errors in a function. */
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

/** The members of a CommonJS module that loading it by hand needs. */
interface CommonJsModule {
  exports: unknown;
  filename: string;
  paths: string[];
  _compile(text: string, path: string): void;
}

/** Does the work of `require`, which would obey `package.json`. */
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

/** Returns whether Node treats the `.js` files of a folder as ES modules. */
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

/** The members of jiti that are used. */
interface Loader {
  /** Imports a program in TypeScript, or an ES module in any folder. */
  // deno-lint-ignore no-explicit-any
  import(url: string): Promise<any>;
  /** Returns the URL that an import would load. */
  esmResolve(name: string): string;
}

/**
 * Creates a loader of programs that Node itself does not load.
 *
 * @param from URL of the importing module.
 */
export async function createLoader(from: string): Promise<Loader> {
  // Not a literal, so that Deno, which does not need it, does not download it.
  const name = "jiti";
  const { createJiti } = await import(name);
  return createJiti(from, { interopDefault: false });
}
