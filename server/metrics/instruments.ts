import type { Histogram, Registry } from "prom-client";
import { Counter, Gauge } from "prom-client";
import type { Samples } from "./distribution.ts";
import { Distribution } from "./distribution.ts";

/** Seconds, from what memory takes to what nobody waits for. */
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

/** Seconds, for what goes over a network to somebody else. */
export const SLOW_BUCKETS: readonly number[] = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * Makes the metrics of one registry, all with the same prefix.
 *
 * What is counted for every request and commit is plain numbers, which the registry reads when it is
 * asked: counters and histograms of prom-client look up their labels each time.
 */
export class Instruments {
  readonly #registry: Registry;
  readonly #registers: Registry[];
  readonly #prefix: string;

  constructor(registry: Registry, prefix: string) {
    this.#registry = registry;
    this.#registers = [registry];
    this.#prefix = prefix;
  }

  /** A counter that is counted elsewhere and read when it is asked for. */
  counted(name: string, help: string, read: () => number): void {
    new Counter({
      ...this.#named(name, help),
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  /** Counters that are counted elsewhere, one for each label. */
  countedBy<Label extends string>(
    name: string,
    help: string,
    label: Label,
    read: () => Record<string, number>,
  ): void {
    this.countedEach(
      name,
      help,
      [label],
      () =>
        Object.entries(read()).map(([key, value]) => ({
          labels: { [label]: key } as Record<Label, string>,
          value,
        })),
    );
  }

  /** Counters that are counted elsewhere, one for each combination of labels. */
  countedEach<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    read: () => Iterable<{ labels: Record<Label, string | number>; value: number }>,
  ): void {
    new Counter<Label>({
      ...this.#named(name, help),
      labelNames: [...labelNames],
      collect() {
        this.reset();
        for (const { labels, value } of read()) this.inc(labels, value);
      },
    });
  }

  /** A number of now; left out while it is not known. */
  gauge(name: string, help: string, read: () => number | undefined): void {
    new Gauge({
      ...this.#named(name, help),
      collect() {
        const value = read();
        if (value === undefined) this.remove();
        else this.set(value);
      },
    });
  }

  /** Numbers of now, one for each label; those that are not known are left out. */
  gauges<Label extends string>(
    name: string,
    help: string,
    label: Label,
    read: () => Record<string, number>,
  ): void {
    new Gauge<Label>({
      ...this.#named(name, help),
      labelNames: [label],
      collect() {
        this.reset();
        for (const [key, value] of Object.entries(read())) {
          this.set({ [label]: key } as Record<Label, string>, value);
        }
      },
    });
  }

  /** A counter with labels. */
  counter<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
  ): Counter<Label> {
    return new Counter({ ...this.#named(name, help), labelNames: [...labelNames] });
  }

  /** A distribution of seconds. */
  distribution(name: string, help: string, buckets: readonly number[]): Distribution {
    const seconds = new Distribution(buckets);
    this.distributions(name, help, () => [seconds]);
    return seconds;
  }

  /** Distributions of seconds, one for each value of a label. */
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

  /** Distributions that are kept elsewhere, one for each combination of labels. */
  distributions(name: string, help: string, read: () => Iterable<Distribution>): void {
    const named = { name: this.#prefix + name, help, type: "histogram" };
    const get = (): Promise<Samples> =>
      Promise.resolve({
        ...named,
        values: Array.from(read(), (one) => one.samples(named.name)).flat(),
      });
    // A registry asks no more of a metric than this, though its types do.
    this.#registry.registerMetric({ ...named, get } as unknown as Histogram);
  }

  #named(name: string, help: string): { name: string; help: string; registers: Registry[] } {
    return { name: this.#prefix + name, help, registers: this.#registers };
  }
}
