import postgres from "postgres";

/** A role of a server that runs in one test, and what it is granted. */
export interface PostgresRole {
  name: string;
  /** The address of the same database, for this role. */
  url: string;
  /** Runs statements of the owner, in which `ROLE` is this role. */
  grant(...statements: string[]): Promise<void>;
  /** Leaves it there. */
  close(): Promise<void>;
  /** Removes it. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A role that may log in, use the schema of the address, and do nothing. */
export async function newRole(owner: string): Promise<PostgresRole> {
  const name = `r${crypto.randomUUID().replaceAll("-", "")}`;
  const sql = postgres(owner, { max: 1, onnotice: () => {} });
  const [row] = await sql<{ schema: string }[]>`SELECT current_schema() AS schema`;
  const { schema } = row!;
  const { password } = new URL(owner);
  await sql.unsafe(
    `CREATE ROLE ${name} LOGIN PASSWORD '${password}'; GRANT USAGE ON SCHEMA ${schema} TO ${name}`,
  );
  const url = new URL(owner);
  url.username = name;
  return {
    name,
    url: url.href,
    async grant(...statements) {
      const text = statements.join("; ").replaceAll("ROLE", name);
      if (text !== "") await sql.unsafe(text);
    },
    close: () => sql.end(),
    async [Symbol.asyncDispose]() {
      await sql.unsafe(`DROP OWNED BY ${name}; DROP ROLE ${name}`);
      await sql.end();
    },
  };
}
