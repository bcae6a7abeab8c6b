/**
 * Assigns tasks to parts of the key space. All keys of a partition share a hash tag and are on one
 * node of a cluster, so one script can use them all.
 */
export class Partitions {
  /** Prefix of every key and channel. */
  readonly prefix: string;
  /** The first key of each partition, from which scripts derive all others. */
  readonly bases: readonly string[];

  constructor({ prefix, count }: { prefix: string; count: number }) {
    // The first pair of braces of a key is its hash tag. An empty pair is none: the keys of a
    // partition would be on different nodes.
    if (/^[^{]*\{\}/.test(prefix)) {
      throw new TypeError('"prefix" must not begin its braces with "{}"; leave them out');
    }
    this.prefix = prefix;
    this.bases = Array.from({ length: count }, (_, i) => `${prefix}{p${i}}`);
  }

  /** The key with the number of partitions, which all instances compare. */
  get countKey(): string {
    return `${this.prefix}{p0}:partitions`;
  }

  /** Returns the partition of a task. */
  of(taskId: string): string {
    return this.bases[hash(taskId) % this.bases.length]!;
  }

  /** Returns the channel of a task's wake-ups. */
  channelOf(taskId: string): string {
    return `${this.of(taskId)}:wake:${taskId}`;
  }

  /** The channels with all wake-ups, one per partition. */
  get channelsOfAll(): string[] {
    return this.bases.map(channelOfAll);
  }
}

/** Returns the channels of a wake-up: that of its task, and that of its whole partition. */
export function channelsOf(base: string, name: string): [ofOne: string, ofAll: string] {
  return [`${base}:wake:${name}`, channelOfAll(base)];
}

/** Returns the key of a partition's generation, which every script compares. */
export function generationKeyOf(base: string): string {
  return `${base}:life`;
}

/** Returns the channel of all wake-ups of a partition. */
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
