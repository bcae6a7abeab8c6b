import assert from "node:assert/strict";
import { reportLines } from "../../tools/api_report/report.ts";

async function reportOf(source: string): Promise<string[]> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, source);
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["doc", "--json", file],
      stderr: "null",
    }).output();
    const { nodes } = JSON.parse(new TextDecoder().decode(stdout));
    return reportLines(Object.values<{ symbols: [] }>(nodes)[0]!.symbols);
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("reportLines() writes a line for each export and each of its public members", async () => {
  const lines = await reportOf(`
    /** Words that do not belong to the interface. */
    export function find<Key extends string>(key: Key, { deep = false }: { deep?: boolean } = {},
      ...rest: readonly (string | number)[]): key is Key { return deep || rest.length > 0; }
    export const NAMES: readonly ["a", "b"] = ["a", "b"];
    export type Handler = (error: Error | null) => Promise<void>;
    export type Flags = { readonly [Name in keyof typeof NAMES]?: \`is-\${string}\` };
    interface Hidden { secret: string }
    export interface Options extends Hidden { readonly retries?: number; run(now: number): void }
    export class Store implements Iterable<string> {
      static readonly size: number = 1;
      #hidden = 1;
      private inside = 2;
      constructor(readonly path: string) {}
      get count(): number { return this.#hidden + this.inside; }
      *[Symbol.iterator](): Generator<string> {}
    }
  `);
  assert.deepEqual(lines, [
    "Flags type { readonly [Name in keyof typeof NAMES]?: `is-${string}` }",
    "Handler type (error: Error | null) => Promise<void>",
    'NAMES const readonly ["a", "b"]',
    "Options interface extends Hidden",
    "Options.readonly retries?: number",
    "Options.run(now: number): void",
    "Store class implements Iterable<string>",
    "Store.[Symbol.iterator](): Generator<string>",
    "Store.constructor(path: string)",
    "Store.get count(): number",
    "Store.static readonly size: number",
    "find function <Key extends string>(key: Key, {}?: { deep?: boolean }, ...rest: readonly " +
    "(string | number)[]): key is Key",
  ]);
});

Deno.test("reportLines() returns the same lines if only comments have changed", async () => {
  const before = await reportOf("/** One. */ export function a(): void {} export const b = 1;");
  const after = await reportOf(
    "export const b = 1;\n\n\n/** Two. */\nexport function a(): void {}",
  );
  assert.deepEqual(after, before);
});
