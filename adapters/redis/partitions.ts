/**
 * Which part of the key space a task is in. All keys of a partition share a hash tag and so are on
 * one node of a cluster, which lets one script touch them all.
 */
export class Partitions {
  /** Before the name of every key and channel. */
  readonly prefix: string;
  /** The first key of each: what a script derives all others from. */
  readonly bases: readonly string[];

  constructor({ prefix, count }: { prefix: string; count: number }) {
    // The first pair of braces of a key is its hash tag, and an empty one is none: the keys of a
    // partition would be on different nodes.
    if (/^[^{]*\{\}/.test(prefix)) {
      throw new TypeError('"prefix" must not begin its braces with "{}"; leave them out');
    }
    this.prefix = prefix;
    this.bases = Array.from({ length: count }, (_, i) => `${prefix}{p${i}}`);
  }

  /** Where all instances look whether they agree about the number of partitions. */
  get countKey(): string {
    return `${this.prefix}{p0}:partitions`;
  }

  /** The partition of a task. */
  of(taskId: string): string {
    return this.bases[hash(taskId) % this.bases.length]!;
  }

  /** Where a task's wake-ups are told. */
  channelOf(taskId: string): string {
    return `${this.of(taskId)}:wake:${taskId}`;
  }

  /** Where the wake-ups of each partition are told. */
  get channelsOfAll(): string[] {
    return this.bases.map(channelOfAll);
  }
}

/** The channels on which something is told: of those who listen to it, and to all of its partition. */
export function channelsOf(base: string, name: string): [ofOne: string, ofAll: string] {
  return [`${base}:wake:${name}`, channelOfAll(base)];
}

/** The word of a partition, which every script compares. */
export function lifeKeyOf(base: string): string {
  return `${base}:life`;
}

/** Where all wake-ups of a partition are told. */
export function channelOfAll(base: string): string {
  return `${base}:wake`;
}

// FNV-1a: http://www.isthe.com/chongo/tech/comp/fnv/. Ids are ASCII.
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  return value >>> 0;
}
