const SLOTS = 16_384;

/** Returns the cluster slot of a key: the CRC-16 (XMODEM) of its hash tag, or of the whole key. */
export function slotOf(key: string): number {
  // The hash tag runs from the first "{" to the next "}"; an empty one does not count.
  const [, tag] = /^[^{]*\{([^}]+)\}/.exec(key) ?? [];
  const hashed = tag ?? key;
  let crc = 0;
  for (const byte of new TextEncoder().encode(hashed)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
  }
  return (crc & 0xffff) % SLOTS;
}
