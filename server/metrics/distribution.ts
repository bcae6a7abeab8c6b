/** A value of a metric, as a registry of prom-client reads it. */
export interface Sample {
  /** Where it is not that of the metric. */
  metricName?: string;
  labels: Record<string, string | number>;
  value: number;
}

/**
 * Counts how numbers are distributed over buckets. It only adds up; how that is written for
 * Prometheus, with every bucket holding those before it, is worked out when metrics are asked for.
 */
export class Distribution {
  readonly labels: Readonly<Record<string, string>>;
  readonly #bounds: readonly number[];
  /** How many numbers fell between a bound and the one before it; in the end, those above all. */
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[], labels: Readonly<Record<string, string>> = {}) {
    this.#bounds = bounds;
    this.#counts = Array(bounds.length + 1).fill(0);
    this.labels = labels;
  }

  observe(value: number): void {
    const bounds = this.#bounds;
    let i = 0;
    while (i < bounds.length && value > bounds[i]!) i++;
    this.#counts[i]!++;
    this.#sum += value;
  }

  /** Returns the observations as a histogram of Prometheus. */
  samples(name: string): Sample[] {
    const { labels } = this;
    let count = 0;
    const buckets = this.#counts.map((more, i) => ({
      metricName: `${name}_bucket`,
      labels: { le: this.#bounds[i] ?? "+Inf", ...labels },
      value: count += more,
    }));
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  }
}
