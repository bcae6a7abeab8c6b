import type { Metric } from "prom-client";
import type { Sample } from "./distribution.ts";
import { Distribution } from "./distribution.ts";

/** Bucket bounds in seconds, for operations that memory or a nearby store answers. */
export const FAST_BUCKETS: readonly number[] = [
  0.0001,
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
];

/** Bucket bounds in seconds, for calls over a network to other services. */
export const SLOW_BUCKETS: readonly number[] = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** Metrics as text, with the content type of that text. */
export interface MetricsText {
  text: string;
  contentType: string;
}

/** A metric whose values are read on demand. */
interface Readable {
  name: string;
  help: string;
  type: "counter" | "gauge" | "histogram";
  read: (name: string) => Sample[];
}

/**
 * Builds metrics from plain numbers that are kept elsewhere, and writes them with prom-client.
 *
 * prom-client's own counters and histograms would look up their labels on each request and commit.
 * It is loaded when metrics are first read: 20 MiB and 80 ms that most starts do not need.
 */
export class Instruments {
  readonly #prefix: string;
  readonly #all: Readable[];

  /** @param all List of metrics shared with instruments of other prefixes. */
  constructor(prefix: string, all: Readable[] = []) {
    this.#prefix = prefix;
    this.#all = all;
  }

  /** Returns instruments with another prefix, whose metrics are written together with these. */
  withPrefix(prefix: string): Instruments {
    return new Instruments(prefix, this.#all);
  }

  /** Reads and writes all metrics. */
  async text(): Promise<MetricsText> {
    const { Registry } = await import("prom-client");
    const registry = new Registry();
    for (const { read, ...named } of this.#all) {
      const get = () => Promise.resolve({ ...named, values: read(named.name) });
      // The registry uses only these members of a metric, though its types require more.
      registry.registerMetric({ ...named, get } as unknown as Metric);
    }
    return { text: await registry.metrics(), contentType: registry.contentType };
  }

  /** Adds a counter. */
  counted(name: string, help: string, read: () => number): void {
    this.#add("counter", name, help, () => [{ labels: {}, value: read() }]);
  }

  /** Adds counters, one for each value of a label. */
  countedBy(name: string, help: string, label: string, read: () => Record<string, number>): void {
    this.#add("counter", name, help, () => byLabel(label, read()));
  }

  /** Adds counters, one for each combination of labels. */
  countedEach(name: string, help: string, read: () => Sample[]): void {
    this.#add("counter", name, help, read);
  }

  /** Adds a gauge, which is left out while its value is unknown. */
  gauge(name: string, help: string, read: () => number | undefined): void {
    this.#add("gauge", name, help, () => {
      const value = read();
      return value === undefined ? [] : [{ labels: {}, value }];
    });
  }

  /** Adds gauges, one for each value of a label; unknown ones are left out. */
  gauges(name: string, help: string, label: string, read: () => Record<string, number>): void {
    this.#add("gauge", name, help, () => byLabel(label, read()));
  }

  /** Adds a distribution of seconds. */
  distribution(name: string, help: string, buckets: readonly number[]): Distribution {
    const seconds = new Distribution(buckets);
    this.distributions(name, help, () => [seconds]);
    return seconds;
  }

  /** Adds distributions of seconds, one for each value of a label. */
  distributionBy<Value extends string>(
    name: string,
    help: string,
    buckets: readonly number[],
    label: string,
  ): (value: Value) => Distribution {
    const byValue = new Map<Value, Distribution>();
    this.distributions(name, help, () => byValue.values());
    return (value) => {
      let seconds = byValue.get(value);
      if (seconds === undefined) {
        byValue.set(value, seconds = new Distribution(buckets, { [label]: value }));
      }
      return seconds;
    };
  }

  /** Adds distributions that are kept elsewhere, one for each combination of labels. */
  distributions(name: string, help: string, read: () => Iterable<Distribution>): void {
    this.#add(
      "histogram",
      name,
      help,
      (name) => Array.from(read(), (one) => one.samples(name)).flat(),
    );
  }

  #add(type: Readable["type"], name: string, help: string, read: Readable["read"]): void {
    this.#all.push({ type, name: this.#prefix + name, help, read });
  }
}

function byLabel(label: string, values: Record<string, number>): Sample[] {
  return Object.entries(values).map(([key, value]) => ({ labels: { [label]: key }, value }));
}
