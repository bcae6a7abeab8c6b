/**
 * Returns the client's address when proxies of your own stand before the server.
 *
 * Each proxy appends the address that it was called from to `X-Forwarded-For`. Only the last
 * entries can be trusted, as many as there are proxies. The entries before them were written by the
 * caller, which can write anything.
 *
 * @param remoteAddress Address from which the connection comes.
 * @param hops Number of your own proxies; with 0, the header is ignored.
 */
export function forwardedAddress(
  { headers }: Request,
  remoteAddress: string | undefined,
  hops: number,
): string | undefined {
  const header = hops > 0 ? headers.get("x-forwarded-for") : null;
  if (header === null) return remoteAddress;
  const entries = header.split(",");
  const entry = entries[Math.max(0, entries.length - hops)]!.trim();
  // Some proxies add the port.
  const [, bracketed, withPort] = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/.exec(entry) ?? [];
  const address = bracketed ?? withPort ?? entry;
  return isAddress(address) ? address : remoteAddress;
}

/**
 * Returns the key under which an address is counted. For IPv6 that is the network of 64 bits: one
 * client has all its addresses, and could otherwise use a new one for each request.
 */
export function addressKey(address: string): string {
  const groups = ipv6Groups(address);
  if (groups === undefined) return address;
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!isMapped) return groups.slice(0, 4).map((group) => group.toString(16)).join(":") + "::/64";
  const [high, low] = [groups[6]!, groups[7]!];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

function isAddress(text: string): boolean {
  return (/^\d{1,3}(\.\d{1,3}){3}$/.test(text) && URL.canParse(`http://${text}/`)) ||
    ipv6Groups(text) !== undefined;
}

/** Returns the eight groups of an IPv6 address, or `undefined` if it is not one. */
function ipv6Groups(address: string): number[] | undefined {
  if (!address.includes(":")) return undefined;
  const [withoutZone] = address.split("%");
  const url = `http://[${withoutZone}]/`;
  if (!URL.canParse(url)) return undefined;
  // The parser normalizes every address: hexadecimal, with "::" for the longest run of zeros.
  const [head, tail] = new URL(url).hostname.slice(1, -1).split("::") as [string, string?];
  const numbers = (text = "") =>
    text === "" ? [] : text.split(":").map((part) => parseInt(part, 16));
  const [first, last] = [numbers(head), numbers(tail)];
  return [...first, ...Array(8 - first.length - last.length).fill(0), ...last];
}
