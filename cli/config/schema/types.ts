import { annotationOf, factsOf } from "./describe.ts";
import { configSchema } from "./schema.ts";
import { builtIn } from "./schema_adapters.ts";
import { type Schema, unwrapped } from "./walk.ts";

/** Types of core that the description refers to, and their files as seen from core/config. */
const IMPORTS: Readonly<Record<string, string>> = {
  Adapters: "../contracts/plugin.ts",
  AuthFunction: "./auth.ts",
  CleanupRule: "../protocol/cleanup.ts",
  GlobalWebhook: "../contracts/webhooks.ts",
  JwtAlgorithm: "./auth.ts",
  Scope: "../protocol/task.ts",
  TaskcastHooks: "../contracts/hooks.ts",
  WebhookRetry: "../protocol/webhook.ts",
};

const ROOT_DOC = `
The configuration of a Taskcast server: the default export of \`taskcast.config.ts\`, or the same in
YAML or JSON. The command line and the environment take precedence.

@example taskcast.config.ts
\`\`\`ts
import type { TaskcastConfig } from "@taskcast/core";
import process from "node:process";

const config = {
  port: 3721,
  auth: { mode: "jwt", jwt: { algorithm: "HS256", secret: process.env.JWT_SECRET } },
  adapters: { shortTerm: { provider: "redis", url: process.env.REDIS_URL } },
} satisfies TaskcastConfig;

export default config;
\`\`\``;

const MODULE_ADAPTER = `
/** A module whose default export is an \`AdapterPlugin\`, with the plugin's options. */
export interface ModuleAdapterConfig {
  /** The module: \`./my_store.ts\`, relative to the configuration file, or \`npm:my-store\`. */
  provider: \`\${string}.\${string}\` | \`\${string}/\${string}\` | \`\${string}:\${string}\`;
  /** An option of the plugin. */
  [option: string]: unknown;
}
`;

/** Returns the source of the types of a configuration, for core/config. */
export function typesText(): string {
  const interfaces: string[] = [];
  const written = new Set<string>();
  writeInterface("TaskcastConfig", ROOT_DOC, configSchema as Schema);
  const providers = builtIn.map((schema) => typeOf(schema as Schema));
  interfaces.push(
    MODULE_ADAPTER,
    "/** An adapter that is chosen by name, with its options. */\n" +
      `export type ProviderConfig = ${[...providers, "ModuleAdapterConfig"].join(" | ")};\n`,
  );
  const body = interfaces.join("\n");
  const imports = Object.entries(IMPORTS).filter(([name]) => new RegExp(`\\b${name}\\b`).test(body))
    .map(([name, file]) => `import type { ${name} } from "${file}";\n`).join("");
  return "// Made by `deno task generate` from cli/config/schema: change the description there.\n" +
    `${imports}\n${body}`;

  function writeInterface(name: string, doc: string, schema: Schema): void {
    if (written.has(name)) return;
    written.add(name);
    const at = interfaces.push("") - 1; // Before those that it refers to.
    const members = Object.entries(schema.shape).map(([key, part]) => {
      const isOptional = part.type === "optional";
      const type = typeOf(unwrapped(part));
      // A program may pass what its environment lacks, also with `exactOptionalPropertyTypes`.
      const member = isOptional ? `${key}?: ${type} | undefined` : `${key}: ${type}`;
      return `${docOf(memberDoc(part), "  ")}  ${member};\n`;
    });
    interfaces[at] = `${docOf(doc, "")}export interface ${name} {\n${members.join("")}}\n`;
  }

  function typeOf(schema: Schema): string {
    const { type, named } = annotationOf(schema);
    if (type !== undefined) return type;
    if (named !== undefined) {
      writeInterface(named.name, named.text, schema);
      return named.name;
    }
    switch (schema.type) {
      case "enum":
        return schema.options.map((option) => JSON.stringify(option)).join(" | ");
      case "literal":
        return [...schema.values].map((value) => JSON.stringify(value)).join(" | ");
      case "array": {
        const element = typeOf(schema.element);
        return /\W/.test(element) ? `(${element})[]` : `${element}[]`;
      }
      case "union":
        return schema.options.map((option) => typeOf(unwrapped(option))).join(" | ");
      case "record":
        return `Record<string, ${typeOf(unwrapped(schema.valueType))}>`;
      default:
        return schema.type; // A text, a number, true or false.
    }
  }
}

function memberDoc(part: Schema): string {
  const facts = factsOf(part);
  const value = facts.default === undefined
    ? facts.defaultText
    : `{${JSON.stringify(facts.default)}}`;
  return `${part.description}.${value === undefined ? "" : ` @default ${value}`}`;
}

/** Returns a doc comment, with long lines broken. */
function docOf(doc: string, indent: string): string {
  const text = doc.trim();
  if (!text.includes("\n") && indent.length + text.length <= 92) return `${indent}/** ${text} */\n`;
  const lines = text.includes("\n") ? text.split("\n") : broken(text, 96 - indent.length);
  return `${indent}/**\n${
    lines.map((line) => `${indent} * ${line}`.trimEnd()).join("\n")
  }\n${indent} */\n`;
}

function broken(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
