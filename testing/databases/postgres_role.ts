import postgres from "postgres";

/** A role for one test, and its privileges. */
export interface PostgresRole {
  name: string;
  /** Address of the same database for this role. */
  url: string;
  /** Runs the owner's statements, in which `ROLE` stands for this role. */
  grant(...statements: string[]): Promise<void>;
  /** Closes the connection and keeps the role. */
  close(): Promise<void>;
  /** Closes the connection and drops the role. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Creates a role that may log in and use the schema of the address, and nothing else. */
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
