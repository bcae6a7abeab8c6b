import type postgres from "postgres";
import { identifier, PREFIXES } from "./schema.ts";

/** Rights to one table or, if they are `USAGE`, to one sequence. */
export interface Rights {
  name: string;
  privileges: readonly string[];
}

const READ = ["SELECT"];
const APPEND = ["SELECT", "INSERT", "DELETE"];
const CHANGE = ["SELECT", "INSERT", "UPDATE", "DELETE"];
const USE = ["USAGE"];

/** Returns the least rights that a role needs for up-to-date tables. */
export function neededRights(kind: keyof typeof PREFIXES): Rights[] {
  const tables: Record<string, readonly string[]> = {
    tasks: CHANGE,
    classes: CHANGE,
    events: APPEND,
    series: CHANGE,
    series_parts: CHANGE,
    trimmed: APPEND,
    folded_events: APPEND,
    due: CHANGE,
    ...(kind === "live"
      ? { producers: CHANGE, producer_events: APPEND, notes: CHANGE, closed_ids: CHANGE }
      : { deletions: CHANGE }),
    task_numbers: USE,
  };
  return [
    { name: "taskcast_migrations", privileges: READ },
    ...Object.entries(tables).map(([table, privileges]) => ({
      name: PREFIXES[kind] + table,
      privileges,
    })),
  ];
}

/**
 * Requires that the role has the needed rights.
 *
 * @throws {Error} If rights are missing, with the statements that grant them.
 */
export async function assertRights(
  sql: postgres.Sql,
  kind: keyof typeof PREFIXES,
): Promise<void> {
  const needed = neededRights(kind).map(({ name, privileges }) => [name, privileges.join()]);
  const [row] = await sql.unsafe<{ role: string; missing: [name: string, rights: string][] }[]>(
    "SELECT current_user AS role, (SELECT coalesce(json_agg(m), '[]') FROM (" +
      "SELECT json_build_array(name, string_agg(p, ', ' ORDER BY nth)) AS m FROM (" +
      "SELECT r->>0 AS name, to_regclass(r->>0)::oid AS id, p, nth " +
      `FROM json_array_elements('${JSON.stringify(needed)}') AS r, ` +
      "unnest(string_to_array(r->>1, ',')) WITH ORDINALITY AS u (p, nth)) needed " +
      "WHERE NOT coalesce(CASE p WHEN 'USAGE' THEN has_sequence_privilege(id, p) " +
      "ELSE has_table_privilege(id, p) END, false) GROUP BY name) lacking) AS missing",
  );
  const { role, missing } = row!;
  if (missing.length === 0) return;
  throw new Error(`The role "${role}" lacks rights: ${grants(missing, role)}`);
}

/** Returns statements that grant rights, one for all tables that lack the same. */
function grants(missing: readonly [name: string, rights: string][], role: string): string {
  const alike = Map.groupBy(missing, ([, rights]) => rights);
  return [...alike].map(([rights, tables]) => {
    const names = tables.map(([name]) => name).sort().join(", ");
    const kind = rights === "USAGE" ? "SEQUENCE " : "";
    return `GRANT ${rights} ON ${kind}${names} TO ${identifier(role)}`;
  }).join("; ");
}
