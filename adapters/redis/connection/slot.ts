const SLOTS = 16_384;

/** The slot of a cluster that a key is in: CRC-16 (XMODEM) of its hash tag, or of all of it. */
export function slotOf(key: string): number {
  // The first brace counts, and the first that closes behind it; with nothing between them there is none.
  const [, tag] = /^[^{]*\{([^}]+)\}/.exec(key) ?? [];
  const hashed = tag ?? key;
  let crc = 0;
  for (const byte of new TextEncoder().encode(hashed)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  }
  return (crc & 0xffff) % SLOTS;
}
