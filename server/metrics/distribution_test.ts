import assert from "node:assert/strict";
import { Histogram, Registry } from "prom-client";
import { Instruments } from "./instruments.ts";

Deno.test("distributions are written as prom-client writes its histograms", async () => {
  const buckets = [0.001, 0.5, 1];
  const theirs = new Registry();
  const make = new Instruments("a_");
  const plain = make.distribution("plain", "Without labels", buckets);
  const byKind = make.distributionBy("labelled", "With one", buckets, "kind");
  const registers = [theirs];
  const plainHistogram = new Histogram({
    name: "a_plain",
    help: "Without labels",
    buckets,
    registers,
  });
  const histogram = new Histogram({
    name: "a_labelled",
    help: "With one",
    buckets,
    labelNames: ["kind"],
    registers,
  });
  assert.equal((await make.text()).text, await theirs.metrics(), "before anything was observed");
  for (const seconds of [0, 0.001, 0.0011, 0.5, 0.75, 1, 1.5, 1e9]) {
    plain.observe(seconds);
    plainHistogram.observe(seconds);
    for (const kind of ['with "quotes"', "b"]) {
      byKind(kind).observe(seconds);
      histogram.observe({ kind }, seconds);
    }
  }
  assert.equal((await make.text()).text, await theirs.metrics());
});
