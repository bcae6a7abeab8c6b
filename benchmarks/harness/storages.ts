import { startPostgres } from "../../testing/databases/postgres_server.ts";
import { startRedis } from "../../testing/databases/redis_server.ts";

/** Arguments of a server for a storage, and what the storage needs to run. */
export interface Storage {
  args: string[];
  [Symbol.asyncDispose](): Promise<void>;
}

/** Names of the storages. */
export const STORAGES: readonly string[] = [
  "memory",
  "sqlite",
  "redis",
  "postgres",
  "redis+postgres",
];

/** Starts the databases of a storage, or creates its files. */
export async function openStorage(name: string): Promise<Storage> {
  switch (name) {
    case "memory":
      // More than any run fills, because a full store refuses, which is fast.
      return {
        args: ["--max-memory", "8192"],
        [Symbol.asyncDispose]: () => Promise.resolve(),
      };
    case "sqlite": {
      const folder = await Deno.makeTempDir();
      return {
        args: ["--sqlite-path", `${folder}/bench.db`],
        [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
      };
    }
    case "redis": {
      const redis = await startRedis();
      return {
        args: ["--redis-url", redis.url],
        [Symbol.asyncDispose]: () => redis[Symbol.asyncDispose](),
      };
    }
    case "postgres": {
      const postgres = await startPostgres({ durable: true });
      return {
        args: ["--storage", "postgres", "--postgres-url", postgres.url],
        [Symbol.asyncDispose]: () => postgres[Symbol.asyncDispose](),
      };
    }
    case "redis+postgres": {
      const redis = await startRedis();
      const postgres = await startPostgres({ durable: true });
      return {
        args: ["--redis-url", redis.url, "--postgres-url", postgres.url],
        async [Symbol.asyncDispose]() {
          await redis[Symbol.asyncDispose]();
          await postgres[Symbol.asyncDispose]();
        },
      };
    }
    default:
      throw new Error(
        `--storage must be ${STORAGES.join(", ")} or all, and is "${name}"`,
      );
  }
}
