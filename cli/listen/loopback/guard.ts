import { originProblem } from "@taskcast/core/internal";
import type { ErrorBody } from "@taskcast/core/protocol";
import { printable } from "../../command_line/terminal.ts";
import { hostNameProblem } from "../../config/hosts_and_origins.ts";

/** Names and origins that are told of in the log; what differs each time must not fill the memory. */
const MAX_TOLD = 100;

/** Characters of a header that are shown. */
const MAX_SHOWN = 200;

/** What a {@linkcode LoopbackGuard} lets in beside the names of this machine. */
export interface LoopbackOptions {
  /** More names that lead here, in lower case. */
  allowHosts: readonly string[];
  /** Origins whose pages may call, as the configuration has them. */
  corsOrigins: "*" | readonly string[];
  /** Told of the first request with each name or origin that is refused. */
  onRefused: (message: string) => void;
}

/**
 * Keeps pages of the web from a server on loopback that asks for no tokens. A page may send requests
 * to `localhost`, which say so in `Origin`; and a page whose name leads to 127.0.0.1 by now (DNS
 * rebinding) may do everything, and is known by the name in `Host`.
 */
export class LoopbackGuard {
  readonly #options: LoopbackOptions;
  readonly #allowHosts: ReadonlySet<string>;
  readonly #told = new Set<string>();

  constructor(options: LoopbackOptions) {
    this.#options = options;
    this.#allowHosts = new Set(options.allowHosts.map((name) => nameOf(name) ?? name));
  }

  /** The answer to a request that does not come from this machine's own pages or programs. */
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
    // What is no origin comes from no browser, and `--cors` would refuse it.
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

  /** Whether pages of an origin may call: this machine's own, on whatever port, and who is named. */
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
      // Nobody can register these: RFC 6761 §6.3.
      name.endsWith(".localhost") || this.#allowHosts.has(name);
  }

  #refuse(message: string): Response {
    if (!this.#told.has(message) && this.#told.size < MAX_TOLD) {
      this.#told.add(message);
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
 * The name in a `Host`, without its port, which may be empty (RFC 3986 §3.2.3); `undefined` if that
 * has none. An address has many spellings, so it is brought to the one that browsers use.
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
