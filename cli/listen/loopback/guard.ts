import { originProblem } from "@taskcast/core/internal";
import type { ErrorBody } from "@taskcast/core/protocol";
import { printable } from "../../command_line/terminal.ts";
import { hostNameProblem } from "../../config/hosts_and_origins.ts";

/** Maximum number of logged refusals; names that differ each time must not fill the memory. */
const MAX_LOGGED = 100;

/** Characters of a header that a message shows. */
const MAX_SHOWN = 200;

/** Options of {@linkcode LoopbackGuard}. */
export interface LoopbackOptions {
  /** Additional host names of this server, in lower case. */
  allowHosts: readonly string[];
  /** Origins whose pages may call. */
  corsOrigins: "*" | readonly string[];
  /** Called with a message for each new host name or origin that is refused. */
  onRefused: (message: string) => void;
}

/**
 * Protects a server on loopback without authentication from web pages. Any page can send requests to
 * `localhost`, which its `Origin` reveals. A page whose own name resolves to 127.0.0.1 by now (DNS
 * rebinding) could do everything, which its `Host` reveals.
 */
export class LoopbackGuard {
  readonly #options: LoopbackOptions;
  readonly #allowHosts: ReadonlySet<string>;
  readonly #logged = new Set<string>();

  constructor(options: LoopbackOptions) {
    this.#options = options;
    this.#allowHosts = new Set(options.allowHosts.map((name) => nameOf(name) ?? name));
  }

  /** Returns the refusal of a request that comes from no page or program of this machine. */
  refusal({ headers, url }: Request): Response | undefined {
    const host = headers.get("host") ?? new URL(url).host;
    const name = nameOf(host);
    if (name === undefined || !this.#isLocal(name)) {
      const isName = name !== undefined && hostNameProblem(name) === undefined;
      return this.#refuse(
        `this server is for ${quoted(host)} only with --allow-host ${isName ? name : "NAME"} ` +
          "(TASKCAST_ALLOW_HOSTS, allowHosts)",
      );
    }
    const origin = headers.get("origin");
    if (origin === null || this.isAllowedOrigin(origin)) return;
    // A text that is not an origin comes from no browser, and `--cors` would refuse it.
    const problem = originProblem(origin);
    if (problem !== undefined || origin.length > MAX_SHOWN) {
      return this.#refuse(
        `pages of ${quoted(origin)} may not call this server: ` +
          `the header Origin ${quoted(problem ?? `has more than ${MAX_SHOWN} characters`)}`,
      );
    }
    return this.#refuse(
      `pages of ${quoted(origin)} may call this server only with ` +
        `--cors ${quoted(origin)} (TASKCAST_CORS, cors.origin)`,
    );
  }

  /** Returns whether pages of an origin may call: allowed ones, and those of this machine on any port. */
  isAllowedOrigin(origin: string): boolean {
    const { corsOrigins } = this.#options;
    return corsOrigins === "*" || corsOrigins.includes(origin) || this.#isLocalOrigin(origin);
  }

  #isLocalOrigin(origin: string): boolean {
    const host = /^https?:\/\/([^/]+)$/.exec(origin)?.[1];
    const name = host === undefined ? undefined : nameOf(host);
    return name !== undefined && this.#isLocal(name);
  }

  #isLocal(name: string): boolean {
    return name === "localhost" || name === "127.0.0.1" || name === "[::1]" ||
      // These cannot be registered: RFC 6761 §6.3.
      name.endsWith(".localhost") || this.#allowHosts.has(name);
  }

  #refuse(message: string): Response {
    if (!this.#logged.has(message) && this.#logged.size < MAX_LOGGED) {
      this.#logged.add(message);
      this.#options.onRefused(`refused a request: ${message}`);
    }
    const body: ErrorBody = {
      error: {
        code: "FORBIDDEN",
        message: `Without authentication, ${message}`,
      },
    };
    return Response.json(body, { status: 421 });
  }
}

/**
 * Returns the name in a `Host` header, without the port, which may be empty (RFC 3986 §3.2.3), and in
 * the spelling that browsers use; `undefined` if there is none.
 */
function nameOf(host: string): string | undefined {
  const [, name] = /^(\[[\da-f:.]+\]|[a-z\d._-]+?)\.?(?::\d{0,5})?$/i.exec(host) ?? [];
  if (name === undefined) return undefined;
  const address = `http://${name}/`;
  return URL.canParse(address) ? new URL(address).hostname : name.toLowerCase();
}

function quoted(text: string): string {
  return printable(text.slice(0, MAX_SHOWN));
}
