import type { ShortTermStore } from "../contracts/short_term_store.ts";
import { ARCHIVE_WORK_CHECKS } from "./store_archive_work.ts";
import { CLOSED_ID_CHECKS } from "./store_closed_ids.ts";
import { COMMIT_CHECKS } from "./store_commit.ts";
import { DIVERGENCE_CHECKS, RESTORED_CHECKS } from "./store_divergence.ts";
import { DUE_CHECKS } from "./store_due.ts";
import { FOLD_CHECKS } from "./store_folds.ts";
import { LEASE_CHECKS, NO_LEASE_CHECKS } from "./store_leases.ts";
import { LIST_CHECKS } from "./store_list.ts";
import { NAME_CHECKS } from "./store_names.ts";
import { PRODUCER_CHECKS } from "./store_producers.ts";
import { READ_CHECKS } from "./store_read.ts";
import { SERIES_CHECKS } from "./store_series.ts";
import { TRIM_CHECKS, TRIM_COMMIT_CHECKS } from "./store_trim.ts";
import { WORK_CHECKS } from "./store_work.ts";
import type { ConformanceOptions } from "./suite.ts";
import { register } from "./suite.ts";

/**
 * Tests that a short-term store keeps its contract. Run it a second time through
 * {@linkcode delayReads}.
 *
 * @example In the tests of your adapter
 * ```ts
 * import { testShortTermStore } from "@taskcast/core/conformance";
 * import { MemoryShortTermStore } from "@taskcast/core";
 *
 * const registered: string[] = [];
 * testShortTermStore({
 *   name: "my store",
 *   open: () => new MemoryShortTermStore(),
 *   test: (name) => registered.push(name), // `Deno.test`, or `test` of `node:test`
 * });
 * ```
 */
export function testShortTermStore(
  options: ConformanceOptions<ShortTermStore> & {
    /** `false` for a store without leases, which must then have no property `leases`. */
    leases?: boolean;
  },
): void {
  register(options.leases === false ? NO_LEASE_CHECKS : LEASE_CHECKS, options);
  register([
    ...COMMIT_CHECKS,
    ...CLOSED_ID_CHECKS,
    ...PRODUCER_CHECKS,
    ...SERIES_CHECKS,
    ...FOLD_CHECKS,
    ...READ_CHECKS,
    ...DIVERGENCE_CHECKS,
    ...RESTORED_CHECKS,
    ...LIST_CHECKS,
    ...NAME_CHECKS,
    ...DUE_CHECKS,
    ...ARCHIVE_WORK_CHECKS,
    ...WORK_CHECKS,
    ...TRIM_CHECKS,
    ...TRIM_COMMIT_CHECKS,
  ], options);
}
