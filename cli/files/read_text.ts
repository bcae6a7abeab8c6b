import { readFileSync } from "node:fs";

/** A file that cannot be read as text; the message says why. */
export class UnreadableFile extends Error {
  /** Error code of the operating system, such as `ENOENT`, if it refused. */
  readonly code?: string;

  constructor(message: string, code?: string) {
    super(message);
    this.code = code;
  }
}

/** Error codes in words. */
const MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: "it is not there",
  EACCES: "this user may not read it",
  EPERM: "this user may not read it, or another program has locked it",
  EBUSY: "another program has locked it",
  ETXTBSY: "another program has locked it",
  EAGAIN: "another program has locked it",
  EISDIR: "it is a folder",
};

/**
 * Reads a UTF-8 file, without its byte order mark.
 *
 * @throws {UnreadableFile} Without quoting the file.
 */
export function readText(path: string, read: (path: string) => Uint8Array = readFileSync): string {
  let bytes: Uint8Array;
  try {
    bytes = read(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UnreadableFile(MEANINGS[code ?? ""] ?? code ?? "the system does not say why", code);
  }
  const other = otherEncoding(bytes);
  if (other !== undefined) throw new UnreadableFile(`it is ${other}; save it as UTF-8`);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new UnreadableFile("it is not UTF-8; save it as that");
  }
}

/** Returns the encoding of bytes that are not UTF-8, as some editors on Windows save them. */
function otherEncoding(bytes: Uint8Array): string | undefined {
  const [a, b, c, d] = bytes;
  const isLittle = a === 0xff && b === 0xfe;
  if ((isLittle && c === 0 && d === 0) || (a === 0 && b === 0 && c === 0xfe && d === 0xff)) {
    return "UTF-32";
  }
  if (isLittle || (a === 0xfe && b === 0xff)) return "UTF-16";
  // Without a mark, every other byte of a Latin text is NUL, which UTF-8 text never contains.
  return bytes.subarray(0, 64).includes(0) ? "UTF-16, or no text" : undefined;
}
