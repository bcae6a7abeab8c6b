import { addressKey } from "@taskcast/server";
import { isPublicAddress } from "@taskcast/server/webhooks";
import type { ConnectionLimits } from "./limits.ts";

/** Default limit on connections of one public address. */
const MAX_PER_PUBLIC_ADDRESS = 1_000;

/** Counts connections, and refuses those beyond the limits. */
export class ConnectionGuard {
  readonly #limits: ConnectionLimits;
  readonly #byAddress = new Map<string, number>();
  #open = 0;
  /** Number of refused connections, by the limit that refused them. */
  readonly refused = { connections: 0, address: 0, descriptors: 0 };

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Number of open connections. */
  get open(): number {
    return this.#open;
  }

  /** Whether one more is refused, wherever it comes from. */
  get isFull(): boolean {
    return this.#open >= this.#limits.maxConnections;
  }

  /**
   * Admits a connection.
   *
   * @param address The peer's address, if known.
   * @returns A function that releases it, safe to call twice; `undefined` if it is refused.
   */
  admit(address: string | undefined): (() => void) | undefined {
    if (this.isFull) {
      this.refused.connections++;
      return undefined;
    }
    // One client owns all addresses of an IPv6 network.
    const key = address === undefined ? undefined : addressKey(address);
    const own = key === undefined ? 0 : this.#byAddress.get(key) ?? 0;
    if (key !== undefined && own >= this.#maxOf(key)) {
      this.refused.address++;
      return undefined;
    }
    this.#open++;
    if (key !== undefined) this.#byAddress.set(key, own + 1);
    let isOpen = true;
    return () => {
      if (!isOpen) return;
      isOpen = false;
      this.#open--;
      if (key === undefined) return;
      const left = this.#byAddress.get(key)! - 1;
      if (left === 0) this.#byAddress.delete(key);
      else this.#byAddress.set(key, left);
    };
  }

  /** Ingresses and load balancers, which are one address, usually have a private one: no limit. */
  #maxOf(key: string): number {
    const { maxConnectionsPerAddress, isBehindProxy } = this.#limits;
    if (maxConnectionsPerAddress !== undefined) return maxConnectionsPerAddress;
    const address = key.replace(/::\/64$/, "::1");
    return isBehindProxy || !isPublicAddress(address) ? Infinity : MAX_PER_PUBLIC_ADDRESS;
  }
}
