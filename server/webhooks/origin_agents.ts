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
  /** Most requests at a time, which is as many connections as the agent may have left open. */
  connections: number;
}

/**
 * Keeps connections to receivers open for the next request, up to a bound over all of them.
 *
 * Each origin has an agent of its own. The `maxTotalSockets` of one agent for all also counts idle
 * connections, which it never closes for the sake of another origin: a request to a further one then
 * waits for ever. Here no request waits for a connection, and those of the origin that was used
 * longest ago make room.
 */
export class OriginAgents {
  readonly #maxIdle: number;
  /** The one used longest ago comes first. */
  readonly #entries = new Map<string, OriginEntry>();
  #connections = 0;

  /** @param maxIdle Connections kept open while nothing is sent. */
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
