import type { TaskEngine } from "@taskcast/core";
import { VERSION } from "../version.ts";
import { addDependencyMetrics } from "./dependency_metrics.ts";
import { addEngineMetrics } from "./engine_metrics.ts";
import type { HttpMetrics } from "./http_metrics.ts";
import { addHttpMetrics } from "./http_metrics.ts";
import type { MetricsText } from "./instruments.ts";
import { Instruments } from "./instruments.ts";
import type { Limiters } from "./limit_metrics.ts";
import { addLimitMetrics } from "./limit_metrics.ts";
import { addProcessMetrics } from "./process_metrics.ts";

/** The metrics of one app and its engine. */
export interface Metrics {
  readonly http: HttpMetrics;
  /** Returns all metrics as text for Prometheus. */
  text(): Promise<MetricsText>;
}

/** Creates the metrics of an engine, of the HTTP traffic to it, and of what limits refuse. */
export function createMetrics(engine: TaskEngine, limiters: Limiters): Metrics {
  const make = new Instruments("taskcast_");
  addEngineMetrics(make, engine);
  const http = addHttpMetrics(make);
  addLimitMetrics(make, limiters);
  const preparations = [
    addDependencyMetrics(make, engine),
    addProcessMetrics(make.withPrefix("")),
  ];
  make.gauges("build_info", "Always 1; the version", "version", () => ({ [VERSION]: 1 }));
  return {
    http,
    async text() {
      await Promise.all(preparations.map((prepare) => prepare()));
      return await make.text();
    },
  };
}
