import { json } from "./build_package.ts";
import { PUBLISHER, publisherFields } from "../publisher.ts";
import { directoryOf, OLDEST_NODE } from "./manifest.ts";
import type { Member } from "./members.ts";

/** Name of the package that only has the command, for `npx taskcast`. */
export const COMMAND = "taskcast";

const README = `# taskcast

Long-lived work that people watch: serve tasks, run them, follow them.

\`\`\`sh
npx taskcast                              # serves on http://localhost:3721
npx taskcast -c taskcast.config.yaml
npx taskcast --help
\`\`\`

This package is the command of @taskcast/cli. To embed
Taskcast in a program use @taskcast/core and @taskcast/server. Node 20 or later. MIT.
`;

/** Builds the folder of the package `taskcast`. */
export async function buildCommandPackage(cli: Member, target: URL): Promise<void> {
  const { name, version, license } = cli;
  await Deno.mkdir(target, { recursive: true });
  const manifest = {
    name: COMMAND,
    version,
    description: "Serves long-lived tasks that people watch: over HTTP and SSE, on Node",
    keywords: ["taskcast", "tasks", "sse", "streaming", "realtime", "server", "cli"],
    license,
    ...publisherFields(PUBLISHER, directoryOf(cli)),
    type: "module",
    engines: { node: OLDEST_NODE },
    bin: { [COMMAND]: "./bin.js" },
    dependencies: { [name]: `^${version}` },
  };
  await Deno.writeTextFile(new URL("package.json", target), json(manifest));
  await Deno.writeTextFile(
    new URL("bin.js", target),
    `#!/usr/bin/env node\nimport "${name}/bin";\n`,
  );
  await Deno.writeTextFile(new URL("README.md", target), README);
  await Deno.copyFile(new URL("../../LICENSE", import.meta.url), new URL("LICENSE", target));
}
