import { BlockList, isIP, isIPv6 } from "node:net";

/** The reason for refusing an address. */
export const REFUSED: string =
  "leads to a private address; webhooks go there only if webhook.allowPrivate of the " +
  "configuration, or allowPrivate of createWebhookSender(), names the host";

// All addresses that are not public:
// https://www.iana.org/assignments/iana-ipv4-special-registry
// https://www.iana.org/assignments/iana-ipv6-special-registry
const SPECIAL_IPV4: readonly [address: string, bits: number][] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/** Exceptions within 2000::/3, the only public range. Some of these embed an IPv4 address. */
const SPECIAL_IPV6: readonly [address: string, bits: number][] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const special = new BlockList();
for (const [address, bits] of SPECIAL_IPV4) special.addSubnet(address, bits, "ipv4");
for (const [address, bits] of SPECIAL_IPV6) special.addSubnet(address, bits, "ipv6");
const publicIpv6 = new BlockList();
publicIpv6.addSubnet("2000::", 3, "ipv6");

/**
 * Returns whether an IP address is public: not of this machine, not of a private network, not
 * reserved.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv6(address)) {
    return publicIpv6.check(address, "ipv6") && !special.check(address, "ipv6");
  }
  return isIP(address) === 4 && !special.check(address, "ipv4");
}

/** Returns the IP address in a URL's host, or `undefined` if the host is a name. */
export function literalAddress(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return isIP(host) === 0 ? undefined : host;
}
