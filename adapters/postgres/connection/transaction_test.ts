import assert from "node:assert/strict";
import type { Session } from "./transaction.ts";
import { inTransaction } from "./transaction.ts";

/** Returns a session whose statements are rejected in this order, and whose ROLLBACK follows them. */
function failingSession(...rejections: readonly { statement: string; code: string }[]): Session {
  const replies = new Map<string, PromiseWithResolvers<unknown[]>>();
  const unsafe = (text: string) => {
    const reply = Promise.withResolvers<unknown[]>();
    replies.set(text, reply);
    if (text === "ROLLBACK") void reject().then(() => reply.resolve([]));
    else if (!rejections.some(({ statement }) => statement === text)) reply.resolve([]);
    else if (rejections[0]!.statement === text) queueMicrotask(() => rejectNext());
    return reply.promise;
  };
  let next = 0;
  const rejectNext = () => {
    const { statement, code } = rejections[next++]!;
    const error = Object.assign(new Error(statement), { name: "PostgresError", code });
    replies.get(statement)!.reject(error);
  };
  const reject = async () => {
    while (next < rejections.length) {
      rejectNext();
      await Promise.resolve();
    }
  };
  const begin = async (work: (sql: unknown) => Promise<void>) => await work({ unsafe });
  return { sql: { begin } as unknown as Session["sql"], prepares: false };
}

Deno.test("inTransaction() rejects with the error that failed the transaction, even if another comes first", async () => {
  const cause = { statement: "INSERT", code: "23514" };
  const consequence = { statement: "UPDATE", code: "25P02" };
  for (const session of [failingSession(cause, consequence), failingSession(consequence, cause)]) {
    const work = inTransaction(session, (run) => Promise.all([run("INSERT"), run("UPDATE")]));
    await assert.rejects(work, { code: "23514" });
  }
});
