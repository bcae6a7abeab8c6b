import assert from "node:assert/strict";
import config from "../deno.json" with { type: "json" };

// The tests in `tests/react` import whatever `react` is; here it is another one.

const PACKAGES = ["react", "react-dom", "@types/react", "@types/react-dom"];

Deno.test("the hooks do on React 18 what they do on React 19", async () => {
  const imports: Record<string, string> = { ...config.imports };
  for (const name of PACKAGES) {
    imports[name] = imports[`${name}-18`]!;
    imports[`${name}/`] = `${imports[name].replace("npm:", "npm:/")}/`;
  }
  const map = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(map, JSON.stringify({ imports }));
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-lock", "--import-map", map, "tests/react"],
      cwd: new URL("../", import.meta.url),
      env: { NO_COLOR: "1", TASKCAST_TEST_REACT: "18" },
    }).output();
    const decoder = new TextDecoder();
    assert(success, decoder.decode(stdout) + decoder.decode(stderr));
  } finally {
    await Deno.remove(map);
  }
});
