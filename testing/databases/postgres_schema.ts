import postgres from "postgres";

/** Returns the URL of an isolated database: a new schema at `url`. */
export async function newSchema(url: string): Promise<string> {
  const schema = `t${crypto.randomUUID().replaceAll("-", "")}`;
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await sql`CREATE SCHEMA ${sql(schema)}`;
  await sql.end();
  return `${url}?search_path=${schema}`;
}

/**
 * Empties the tables of a schema, so that consecutive tests can share it: creating the tables takes
 * ten times as long.
 *
 * @param owner Address of the schema for the role that owns its tables.
 */
export async function emptySchema(owner: string): Promise<void> {
  const sql = postgres(owner, { max: 1, onnotice: () => {}, fetch_types: false });
  await sql.unsafe(`DO $$
    DECLARE name text;
    BEGIN
      FOR name IN SELECT relname FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
          AND relname <> 'taskcast_migrations'
      LOOP
        EXECUTE format('DELETE FROM %I', name);
      END LOOP;
    END $$`);
  await sql.end();
}
