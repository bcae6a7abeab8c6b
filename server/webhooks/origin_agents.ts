import http from "node:http";
import https from "node:https";

/** An HTTP agent that a request uses until it calls `release`. */
export interface AgentLease {
  readonly agent: http.Agent;
  /** Call once, when the request is over. */
  release(): void;
}

interface OriginEntry {
  readonly agent: http.Agent;
  active: number;
  /**
   * Maximum number of concurrent requests, and so of connections that the agent may have left open.
   */
  connections: number;
}

/**
 * Keeps connections to receivers open for the next request, up to a bound over all receivers.
 *
 * Each origin has its own agent. A single agent for all would count idle connections in its
 * `maxTotalSockets` without closing them for the sake of another origin, so a request to a further
 * origin would wait for ever. Here no request waits for a connection, and the idle connections of
 * the least recently used origin are closed.
 */
export class OriginAgents {
  readonly #maxIdle: number;
  /** The least recently used one comes first. */
  readonly #entries = new Map<string, OriginEntry>();
  #connections = 0;

  /** @param maxIdle Number of connections kept open while idle. */
  constructor(maxIdle: number) {
    this.#maxIdle = maxIdle;
  }

  take({ origin, protocol }: URL): AgentLease {
    const entry = this.#entries.get(origin) ?? {
      agent: new (protocol === "https:" ? https : http).Agent({ keepAlive: true }),
      active: 0,
      connections: 0,
    };
    this.#entries.delete(origin);
    this.#entries.set(origin, entry);
    entry.active++;
    if (entry.active > entry.connections) {
      entry.connections++;
      this.#connections++;
    }
    this.#evict();
    return {
      agent: entry.agent,
      release: () => {
        entry.active--;
        this.#evict();
      },
    };
  }

  close(): void {
    for (const { agent } of this.#entries.values()) agent.destroy();
    this.#entries.clear();
    this.#connections = 0;
  }

  #evict(): void {
    for (const [origin, { agent, active, connections }] of this.#entries) {
      if (this.#connections <= this.#maxIdle) return;
      if (active > 0) continue;
      agent.destroy();
      this.#entries.delete(origin);
      this.#connections -= connections;
    }
  }
}
