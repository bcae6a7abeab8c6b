import postgres from "postgres";

/** The URL of a database that sees nothing of any other: a new schema at `url`. */
export async function newSchema(url: string): Promise<string> {
  const schema = `t${crypto.randomUUID().replaceAll("-", "")}`;
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  await sql`CREATE SCHEMA ${sql(schema)}`;
  await sql.end();
  return `${url}?search_path=${schema}`;
}
