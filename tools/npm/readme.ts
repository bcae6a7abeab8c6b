import type { Member } from "./members.ts";
import type { ModuleDoc } from "./module_doc.ts";

/** Returns the README of a package on npm and JSR: the documentation of its entry points. */
export function readme(
  { name, npm: { peerDependencies = {}, optionalPeers = [] } }: Member,
  main: ModuleDoc,
  others: ReadonlyMap<string, ModuleDoc>,
): string {
  const peers = Object.keys(peerDependencies).filter((peer) => !optionalPeers.includes(peer));
  const parts = [
    `# ${name}`,
    main.text,
    "```sh\nnpm install " + [...new Set([name, ...peers, ...importsOf(main.text)])].join(" ") +
    `\ndeno add jsr:${name}\n\`\`\``,
    ...[...others].map(([subpath, { text }]) => `## ${name}${subpath.slice(1)}\n\n${text}`),
    "Part of Taskcast: long-lived work that people watch. Deno, Bun, Node 20 or later. MIT.",
  ];
  return parts.join("\n\n") + "\n";
}

/** Returns the packages that examples import. */
function importsOf(text: string): string[] {
  return [...text.matchAll(/ from "((?:@[^/"]+\/)?[^/":]+)(?:\/[^"]*)?"/g)].map(([, name]) =>
    name!
  );
}
