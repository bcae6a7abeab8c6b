import { random40 } from "../protocol/ulid.ts";

const DIGITS = Uint8Array.from("0123456789abcdefghijklmnopqrstuv", (digit) => digit.charCodeAt(0));

/** Eight random characters of `0-9a-v`: 40 bits. */
export function newIncarnation(): string {
  const bits = random40();
  const [high, low] = [Math.floor(bits / 2 ** 20), bits % 2 ** 20];
  // A quarter of the time that `toString(32)` takes.
  return String.fromCharCode(
    DIGITS[high >>> 15]!,
    DIGITS[high >>> 10 & 31]!,
    DIGITS[high >>> 5 & 31]!,
    DIGITS[high & 31]!,
    DIGITS[low >>> 15]!,
    DIGITS[low >>> 10 & 31]!,
    DIGITS[low >>> 5 & 31]!,
    DIGITS[low & 31]!,
  );
}
