import { PAGE_SCRIPT } from "./script.ts";

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --dim: #888; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
header { display: flex; flex-wrap: wrap; gap: 1rem; align-items: baseline; }
header h1 { margin: 0; }
header label { margin-left: auto; }
code, pre, textarea, input { font: 14px/1.5 ui-monospace, monospace; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .5rem .8rem; }
summary { cursor: pointer; }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700; }
.get { color: #2a7de1; } .post { color: #2e9e5b; } .patch { color: #b7791f; } .delete { color: #d64545; }
.what, small { color: var(--dim); }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid var(--line); padding: .2rem .6rem .2rem 0; vertical-align: top; }
.try label { display: grid; grid-template-columns: 9rem 14rem 1fr; gap: .6rem; margin: .3rem 0; }
textarea { width: 100%; box-sizing: border-box; }
button { margin-right: .5rem; padding: .2rem 1rem; }
pre { white-space: pre-wrap; word-break: break-word; max-height: 24rem; overflow: auto; }
.output { border: 1px solid var(--line); border-radius: 6px; padding: .5rem; }
@media (max-width: 40rem) { .try label { grid-template-columns: 1fr; } }
`;

const HTML = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Taskcast API</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Taskcast API</h1><span id="version"></span><a href="openapi.json">openapi.json</a>
<label>Token <input id="credential" type="password" autocomplete="off"
 placeholder="token, or key:SERVICE_KEY"></label>
</header>
<main>Loading …</main>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;

/**
 * The page that shows the API and lets its reader try it. It loads nothing from other servers. An API
 * viewer from a package would add a megabyte, or load from another host.
 */
export interface DocsPage {
  html: string;
  headers: Record<string, string>;
}

let page: Promise<DocsPage> | undefined;

/** Returns the page, which is built once. */
export function docsPage(): Promise<DocsPage> {
  return page ??= makePage();
}

async function makePage(): Promise<DocsPage> {
  const policy = [
    "default-src 'none'",
    "connect-src 'self'",
    `style-src '${await hashOf(STYLE)}'`,
    `script-src '${await hashOf(PAGE_SCRIPT)}'`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    html: HTML,
    headers: {
      "content-security-policy": policy.join("; "),
      "x-content-type-options": "nosniff",
      "referrer-policy": "no-referrer",
    },
  };
}

/**
 * Returns the hash by which a policy allows an inline script:
 * https://www.w3.org/TR/CSP3/#grammardef-hash-source
 */
async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256-${btoa(String.fromCharCode(...new Uint8Array(digest)))}`;
}
