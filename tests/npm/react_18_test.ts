import assert from "node:assert/strict";
import config from "../../deno.json" with { type: "json" };

// The tests in `tests/react` import whatever `react` resolves to; here it is another version.

const REACT_18 = {
  "react": "^18.3.0",
  "react-dom": "^18.3.0",
  "@types/react": "^18.3.0",
  "@types/react-dom": "^18.3.0",
};

Deno.test("the hooks do on React 18 what they do on React 19", async () => {
  const imports: Record<string, string> = { ...config.imports };
  for (const [name, range] of Object.entries(REACT_18)) {
    imports[name] = `npm:${name}@${range}`;
    imports[`${name}/`] = `npm:/${name}@${range}/`;
  }
  const map = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(map, JSON.stringify({ imports }));
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-lock", "--import-map", map, "tests/react"],
      cwd: new URL("../../", import.meta.url),
      env: { NO_COLOR: "1", TASKCAST_TEST_REACT: "18" },
    }).output();
    const decoder = new TextDecoder();
    assert(success, decoder.decode(stdout) + decoder.decode(stderr));
  } finally {
    await Deno.remove(map);
  }
});
