import type { Registry } from "prom-client";
import { Counter, Gauge, Histogram } from "prom-client";

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

/** Makes the metrics of one registry, all with the same prefix. */
export class Instruments {
  readonly #registers: Registry[];
  readonly #prefix: string;

  constructor(registry: Registry, prefix: string) {
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
    new Counter<Label>({
      ...this.#named(name, help),
      labelNames: [label],
      collect() {
        this.reset();
        for (const [key, value] of Object.entries(read())) {
          this.inc({ [label]: key } as Record<Label, string>, value);
        }
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
  histogram<Label extends string = never>(
    name: string,
    help: string,
    buckets: readonly number[],
    labelNames: readonly Label[] = [],
  ): Histogram<Label> {
    return new Histogram({
      ...this.#named(name, help),
      buckets: [...buckets],
      labelNames: [...labelNames],
    });
  }

  #named(name: string, help: string): { name: string; help: string; registers: Registry[] } {
    return { name: this.#prefix + name, help, registers: this.#registers };
  }
}
