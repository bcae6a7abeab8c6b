/** A value of a metric, as prom-client's registry reads it. */
export interface Sample {
  /** Set if it differs from the metric's own name. */
  metricName?: string;
  labels: Record<string, string | number>;
  value: number;
}

/**
 * Counts how numbers are distributed over buckets. Observing only adds; the cumulative buckets of
 * Prometheus are computed when metrics are read.
 */
export class Distribution {
  readonly labels: Readonly<Record<string, string>>;
  readonly #bounds: readonly number[];
  /**
   * Counts between each bound and the one before it; the last entry counts what exceeds all bounds.
   */
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

  /** Returns the observations as a Prometheus histogram. */
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
