import assert from "node:assert/strict";
import { SignJWT } from "jose";
import { startServer } from "./support/test_server.ts";

// The code of the user's deployment guide that needs neither Redis, PostgreSQL nor Sentry, run as it
// stands there. Only the network is another one: its host's name leads to a server of this test.

const secret = "a secret of more than thirty-two bytes";

async function token(claims: { taskIds: string | string[]; scope: string[] }): Promise<string> {
  return await new SignJWT(claims).setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(secret));
}

Deno.test("the guide's producer and consumer work as written", async () => {
  await using server = startServer({
    app: { auth: { mode: "jwt", jwt: { algorithm: "HS256", secret } } },
  });
  const realFetch = globalThis.fetch;
  const realLog = console.log;
  const logged: unknown[][] = [];
  try {
    globalThis.fetch = (input, init) =>
      realFetch(String(input).replace("http://taskcast-service:3721", server.url), init);
    console.log = (...args) => void logged.push(args);

    Deno.env.set("TASKCAST_TOKEN", await token({ taskIds: "*", scope: ["*"] }));
    await import("./guide/producer.ts");
    const { tasks: [task] } = await server.engine.listTasks();
    assert.equal(task?.status, "completed");
    assert.deepEqual(task?.params, { prompt: "Hello" });
    assert.deepEqual(task?.result, { output: "Hello!" });

    Deno.env.set("TASK_ID", task!.id);
    Deno.env.set(
      "USER_JWT_TOKEN",
      await token({ taskIds: [task!.id], scope: ["event:subscribe"] }),
    );
    await import("./guide/consumer.ts");
    const [hello, status, done] = logged;
    assert.deepEqual((hello![0] as { data: unknown }).data, { text: "Hello!" });
    assert.equal((status![0] as { type: string }).type, "taskcast:status");
    assert.deepEqual(done, ["Done:", "completed"]);
  } finally {
    globalThis.fetch = realFetch;
    console.log = realLog;
    for (const name of ["TASKCAST_TOKEN", "TASK_ID", "USER_JWT_TOKEN"]) Deno.env.delete(name);
  }
});
