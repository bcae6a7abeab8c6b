import type { Commit, LeaseRenewal } from "@taskcast/core/adapter";
import type { Run } from "../connection/database.ts";

/** The lease of a task. */
export interface LeaseRow {
  id: string;
  lease: string | null;
  at_ms: number | null;
}

/** Returns whether a commit depends on the lease that its task has. */
export function readsLease({ expect, lease, due }: Partial<Commit>): boolean {
  return lease !== undefined || due?.lease === "keep" ||
    typeof expect === "object" && expect.live === undefined && expect.leaseBy !== undefined;
}

/** Reads the leases of locked tasks. */
export async function readLeases(run: Run, ids: readonly string[]): Promise<LeaseRow[]> {
  return ids.length === 0 ? [] : await run<LeaseRow>(SELECT_LEASES, JSON.stringify(ids));
}

/** Sets the expiry of leases of locked tasks. Returns for each whether its task has it. */
export async function renewLeases(
  run: Run,
  renewals: readonly LeaseRenewal[],
): Promise<boolean[]> {
  // A statement cannot change a row twice, so the last renewal of each lease counts.
  const last = new Map(renewals.map((renewal) => [keyOf(renewal), renewal]));
  const rows = [...last.values()].map(({ taskId, lease, untilMs }) => ({
    id: taskId,
    lease,
    at_ms: untilMs,
  }));
  const renewed = await run<{ id: string; lease: string }>(RENEW, JSON.stringify(rows));
  const keys = new Set(renewed.map(({ id, lease }) => keyOf({ taskId: id, lease })));
  return renewals.map((renewal) => keys.has(keyOf(renewal)));
}

function keyOf({ taskId, lease }: Pick<LeaseRenewal, "taskId" | "lease">): string {
  return `${taskId} ${lease}`;
}

const SELECT_LEASES = "SELECT t.id, t.record->>'lease' AS lease, d.at_ms::float8 AS at_ms " +
  "FROM json_array_elements_text($1::text::json) AS i (id) " +
  "JOIN LATERAL (SELECT * FROM {tasks} k WHERE k.id = i.id LIMIT 1) t ON true " +
  "LEFT JOIN LATERAL (SELECT * FROM {due} k WHERE k.task = t.task AND k.kind = 'lease' LIMIT 1) d " +
  "ON true";

const RENEW = "WITH held AS MATERIALIZED (SELECT t.task, r.id, r.lease, r.at_ms " +
  "FROM json_to_recordset($1::text::json) AS r (id text, lease text, at_ms bigint) " +
  "JOIN LATERAL (SELECT * FROM {tasks} k WHERE k.id = r.id LIMIT 1) t " +
  "ON t.record->>'lease' = r.lease), " +
  "renewed AS (INSERT INTO {due} (task, kind, at_ms) SELECT task, 'lease', at_ms FROM held " +
  "ON CONFLICT (task, kind) DO UPDATE SET at_ms = excluded.at_ms) " +
  "SELECT id, lease FROM held";
