import assert from "node:assert/strict";

/** A value with its labels. */
export interface Sample {
  /** The full name, e.g. with `_bucket`. */
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** A metric: its description, and all its samples. */
export interface Family {
  name: string;
  type: "counter" | "gauge" | "histogram" | "summary" | "untyped";
  help: string;
  samples: Sample[];
}

/**
 * Parses the text format of Prometheus, version 0.0.4. Refuses what the format does not allow, and
 * what violates its conventions: https://prometheus.io/docs/instrumenting/exposition_formats/
 *
 * npm's parsers accept almost anything, so they would prove little.
 */
export function parsePrometheus(text: string): Map<string, Family> {
  assert(text.endsWith("\n"), "the last line must end with a line feed");
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  let family: Family | undefined;
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, kind, name, rest] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)$/.exec(line) ?? [];
    if (kind === "HELP") {
      assert(!families.has(name!), `${name} is described twice, or in two places`);
      family = { name: name!, type: "untyped", help: rest!, samples: [] };
      families.set(name!, family);
    } else if (kind === "TYPE") {
      assert(
        family?.name === name && family!.samples.length === 0,
        `TYPE must follow HELP: ${line}`,
      );
      assert.match(rest!, /^(counter|gauge|histogram|summary|untyped)$/, line);
      family!.type = rest as Family["type"];
    } else {
      const sample = parseSample(line);
      assert(
        family !== undefined && belongs(sample.name, family),
        `it has no description: ${line}`,
      );
      const key = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).toSorted())}`;
      assert(!seen.has(key), `it is there twice: ${line}`);
      seen.add(key);
      family!.samples.push(sample);
    }
  }
  for (const one of families.values()) assertConventions(one);
  return families;
}

function parseSample(line: string): Sample {
  const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
  assert(match, `not a sample: ${line}`);
  const [, name, labelText = "", valueText] = match;
  const labels: Record<string, string> = {};
  const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y;
  while (label.lastIndex < labelText.length) {
    const found = label.exec(labelText);
    assert(found, `bad labels: ${line}`);
    assert(!(found[1]! in labels), `a label twice: ${line}`);
    labels[found[1]!] = found[2]!.replaceAll(
      /\\(.)/g,
      (_, char) => char === "n" ? "\n" : char,
    );
  }
  const value = valueText === "+Inf"
    ? Infinity
    : valueText === "-Inf"
    ? -Infinity
    : Number(valueText);
  assert(valueText === "NaN" || !Number.isNaN(value), `not a number: ${line}`);
  return { name: name!, labels, value };
}

function belongs(name: string, { name: family, type }: Family): boolean {
  if (type !== "histogram") return name === family;
  return ["_bucket", "_sum", "_count"].some((suffix) => name === family + suffix);
}

function assertConventions({ name, type, help, samples }: Family): void {
  assert(help.trim().length > 3, `${name} has no help`);
  assert.notEqual(type, "untyped", name);
  assert.equal(type === "counter", name.endsWith("_total"), `${name} is a ${type}`);
  if (type === "counter") { for (const { value } of samples) assert(value >= 0, name); }
  assert(!/(^|_)(ms|milliseconds|kb|mib)(_|$)/.test(name), `${name} has no base unit`);
  if (type === "histogram") assertHistogram(name, samples);
}

/** Requires cumulative buckets, up to one that counts everything. */
function assertHistogram(name: string, samples: readonly Sample[]): void {
  const series = Map.groupBy(
    samples,
    ({ labels: { le: _le, ...labels } }) => JSON.stringify(labels),
  );
  for (const of of series.values()) {
    const buckets = of.filter((sample) => sample.name === `${name}_bucket`);
    const count = of.find((sample) => sample.name === `${name}_count`)?.value;
    assert(of.some((sample) => sample.name === `${name}_sum`), `${name} has no sum`);
    const bounds = buckets.map(({ labels: { le } }) => le === "+Inf" ? Infinity : Number(le));
    assert.deepEqual(bounds, bounds.toSorted((a, b) => a - b), name);
    assert.equal(bounds.at(-1), Infinity, name);
    const counts = buckets.map(({ value }) => value);
    assert.deepEqual(counts, counts.toSorted((a, b) => a - b), name);
    assert.equal(counts.at(-1), count, name);
  }
}

/** Returns the value of one sample. @throws If there is none. */
export function valueOf(
  families: Map<string, Family>,
  name: string,
  labels: Record<string, string> = {},
): number {
  const family = families.get(name) ?? families.get(name.replace(/_(count|sum|bucket)$/, ""));
  assert(family, `there is no metric ${name}`);
  const wanted = JSON.stringify(Object.entries(labels).toSorted());
  const sample = family.samples.find((sample) =>
    sample.name === name && JSON.stringify(Object.entries(sample.labels).toSorted()) === wanted
  );
  assert(sample, `${name} has no sample with ${wanted}`);
  return sample.value;
}
