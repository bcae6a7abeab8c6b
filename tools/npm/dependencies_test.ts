import assert from "node:assert/strict";
import { dependenciesOf } from "./dependencies.ts";
import { importsIn, packageOf } from "./read_files.ts";

const versions = new Map([["@taskcast/core", "^0.1.0"], ["hono", "^4.13.0"], ["jiti", "^2.7.0"]]);

Deno.test("npm: imported or named packages are dependencies, and those of the application are peers", () => {
  assert.deepEqual(
    dependenciesOf(["hono", "@taskcast/core", "react", "sdk"], {
      alsoNeeds: ["jiti"],
      peerDependencies: { react: ">=18", sdk: ">=8" },
      optionalPeers: ["sdk"],
    }, versions),
    {
      dependencies: { "@taskcast/core": "^0.1.0", hono: "^4.13.0", jiti: "^2.7.0" },
      peerDependencies: { react: ">=18", sdk: ">=8" },
      peerDependenciesMeta: { sdk: { optional: true } },
    },
  );
  assert.deepEqual(dependenciesOf([], {}, versions), {});
});

Deno.test("npm: what has no version, and an optional peer that is none, stop the build", () => {
  assert.throws(() => dependenciesOf(["left-pad"], {}, versions), /"left-pad" is imported/);
  assert.throws(
    () => dependenciesOf([], { optionalPeers: ["sdk"] }, versions),
    /"sdk" is optional/,
  );
});

Deno.test("npm: imports are found in code and types, and not in comments", () => {
  const text = `/** import { no } from "comment"; */
    import { a } from "@scope/a/sub";
    import type { B } from "b";
    export * from "./c.js";
    export type D = import("d").D;
    const e = await import("e");
    // import "comment";
    const text = "/*"; import "f";`;
  assert.deepEqual(importsIn(text).sort(), ["./c.js", "@scope/a/sub", "b", "d", "e", "f"]);
  assert.deepEqual(["@scope/a/sub", "b", "c/sub"].map(packageOf), ["@scope/a", "b", "c"]);
});
