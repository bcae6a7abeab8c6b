import { addressKey } from "@taskcast/server";
import { isPublicAddress } from "@taskcast/server/webhooks";
import type { ConnectionLimits } from "./limits.ts";

/** Connections of one public address where nothing else is said. */
const MAX_PER_PUBLIC_ADDRESS = 1_000;

/** Counts connections and refuses those beyond the bounds. */
export class ConnectionGuard {
  readonly #limits: ConnectionLimits;
  readonly #byAddress = new Map<string, number>();
  #open = 0;
  /** Connections that were closed at once, by the bound that they met. */
  readonly refused = { connections: 0, address: 0, descriptors: 0 };

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#open;
  }

  /** One more is refused, wherever it comes from. */
  get isFull(): boolean {
    return this.#open >= this.#limits.maxConnections;
  }

  /**
   * Takes the place of one connection.
   *
   * @param address Where it comes from, if that is known.
   * @returns Gives the place back, safe to call twice; `undefined` if there is none.
   */
  take(address: string | undefined): (() => void) | undefined {
    if (this.isFull) {
      this.refused.connections++;
      return undefined;
    }
    // One client has all addresses of an IPv6 network.
    const key = address === undefined ? undefined : addressKey(address);
    const own = key === undefined ? 0 : this.#byAddress.get(key) ?? 0;
    if (key !== undefined && own >= this.#maxOf(key)) {
      this.refused.address++;
      return undefined;
    }
    this.#open++;
    if (key !== undefined) this.#byAddress.set(key, own + 1);
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#open--;
      if (key === undefined) return;
      const left = this.#byAddress.get(key)! - 1;
      if (left === 0) this.#byAddress.delete(key);
      else this.#byAddress.set(key, left);
    };
  }

  /** An ingress or a load balancer is one address, and usually one of a private network. */
  #maxOf(key: string): number {
    const { maxConnectionsPerAddress, isBehindProxy } = this.#limits;
    if (maxConnectionsPerAddress !== undefined) return maxConnectionsPerAddress;
    const address = key.replace(/::\/64$/, "::1");
    return isBehindProxy || !isPublicAddress(address) ? Infinity : MAX_PER_PUBLIC_ADDRESS;
  }
}
