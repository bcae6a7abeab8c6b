import assert from "node:assert/strict";
import { readText, UnreadableFile } from "./read_text.ts";

const TEXT = "port: 3721 # für alle\n";

function utf16(text: string, { bigEndian = false, mark = true } = {}): Uint8Array {
  const all = mark ? "\ufeff" + text : text;
  const view = new DataView(new ArrayBuffer(all.length * 2));
  for (let i = 0; i < all.length; i++) view.setUint16(i * 2, all.charCodeAt(i), !bigEndian);
  return new Uint8Array(view.buffer);
}

function messageOf(read: () => Uint8Array): string {
  try {
    readText("file", read);
    return "";
  } catch (error) {
    assert(error instanceof UnreadableFile);
    return error.message;
  }
}

Deno.test("readText() reads UTF-8, and leaves its mark out", () => {
  const bytes = new TextEncoder().encode(TEXT);
  assert.equal(readText("file", () => bytes), TEXT);
  assert.equal(readText("file", () => Uint8Array.of(0xef, 0xbb, 0xbf, ...bytes)), TEXT);
  assert.equal(readText("file", () => new Uint8Array()), "");
});

Deno.test("readText() says which encoding a file has instead", () => {
  for (const bigEndian of [false, true]) {
    assert.match(messageOf(() => utf16(TEXT, { bigEndian })), /^it is UTF-16; save it as UTF-8$/);
    assert.match(messageOf(() => utf16(TEXT, { bigEndian, mark: false })), /^it is UTF-16, or no/);
  }
  const utf32 = Uint8Array.of(0xff, 0xfe, 0, 0, 0x61, 0, 0, 0);
  assert.match(messageOf(() => utf32), /^it is UTF-32;/);
  assert.match(messageOf(() => Uint8Array.of(0x66, 0xfc, 0x72)), /^it is not UTF-8;/); // Latin-1
});

Deno.test("readText() says that a file is locked, or not for this user", () => {
  const failing = (code: string) => () => {
    throw Object.assign(new Error(`${code}: hush`), { code });
  };
  assert.equal(messageOf(failing("EBUSY")), "another program has locked it");
  assert.equal(messageOf(failing("EACCES")), "this user may not read it");
  assert.equal(messageOf(failing("EISDIR")), "it is a folder");
  assert.equal(messageOf(failing("EIO")), "EIO");
});
