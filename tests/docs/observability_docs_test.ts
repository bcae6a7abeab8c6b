import assert from "node:assert/strict";
import { MemoryLongTermStore } from "@taskcast/core";
import type { Family } from "../../testing/texts/prometheus.ts";
import { parsePrometheus } from "../../testing/texts/prometheus.ts";
import { startServer } from "../../testing/servers/test_server.ts";

// The documents must mention every metric, and no other.

const DOCS = new URL("../../docs/", import.meta.url);

/** Reads the metrics of a server on which everything can be measured. */
async function metrics(): Promise<Map<string, Family>> {
  await using server = startServer({ engine: { longTermStore: new MemoryLongTermStore() } });
  await server.call("POST", "/tasks", { id: "t" });
  await server.call("POST", "/tasks/t/events", { type: "a", data: 1 });
  await server.call("PATCH", "/tasks/t/status", { status: "completed" });
  await server.engine.sweep();
  return parsePrometheus(await (await fetch(`${server.url}/metrics`)).text());
}

function names(text: string): string[] {
  return [...new Set(text.match(/\b(taskcast|process)_\w+/g))];
}

/** Returns the names of a metric's samples in Prometheus. */
function sampleNames({ name, type }: Family): string[] {
  return type === "histogram" ? ["_bucket", "_sum", "_count"].map((end) => name + end) : [name];
}

Deno.test("observability.md has each metric with its type and labels, and no other", async () => {
  const text = await Deno.readTextFile(new URL("reference/observability.md", DOCS));
  const families = await metrics();
  const rows = [...text.matchAll(/^\| `(\w+)` +\| (\w+) +\| ([^|]*?) *\|/gm)]
    .filter(([, name]) => /^(taskcast|process)_/.test(name!));
  assert.deepEqual(rows.map(([, name]) => name).toSorted(), [...families.keys()].toSorted());
  for (const [, name, type, labels] of rows) {
    const { samples, type: actual } = families.get(name!)!;
    assert.equal(type, actual, name!);
    const documented = [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!).toSorted();
    for (const sample of samples) {
      const { le: _, ...own } = sample.labels;
      assert.deepEqual(Object.keys(own).toSorted(), documented, name!);
    }
  }
  const known = [...families.values()].flatMap((one) => [one.name, ...sampleNames(one)]);
  for (const name of names(text)) assert(known.includes(name), `${name} is not measured`);
});

Deno.test("the dashboard uses only metrics and labels that exist", async () => {
  const text = await Deno.readTextFile(new URL("grafana/taskcast.json", DOCS));
  const families = await metrics();
  const known = new Set([...families.values()].flatMap(sampleNames));
  const dashboard = JSON.parse(text) as {
    panels: {
      id: number;
      type: string;
      gridPos: Record<"x" | "y" | "w" | "h", number>;
      targets?: { expr: string }[];
    }[];
    templating: { list: { definition?: string }[] };
  };
  const asked = new Set<string>();
  const queries = [
    ...dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...dashboard.templating.list.flatMap(({ definition = [] }) => definition),
  ];
  assert(queries.length > 30);
  for (const query of queries) {
    for (const name of names(query)) {
      assert(known.has(name), `${name} is not measured: ${query}`);
      asked.add(name.replace(/_bucket$/, ""));
    }
    const [family] = names(query);
    const table = await Deno.readTextFile(new URL("reference/observability.md", DOCS));
    const base = family!.replace(/_bucket$/, "");
    const labels = new RegExp(`^\\| \`${base}\` .*$`, "m").exec(table)![0];
    const grouped = [...query.matchAll(/by \(([^)]*)\)/g)].flatMap(([, by]) => by!.split(", "));
    for (const label of grouped) {
      assert(["le", "instance"].includes(label) || labels.includes(`\`${label}\``), query);
    }
  }
  const missing = [...families.keys()].filter((name) => !asked.has(name));
  assert.deepEqual(missing, ["process_heap_bytes"], "all other metrics are on the dashboard");
  const ids = dashboard.panels.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length, "panels have unique ids");
  for (const { gridPos: { x, w } } of dashboard.panels) assert(x + w <= 24);
});
