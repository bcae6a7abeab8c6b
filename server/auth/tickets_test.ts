import assert from "node:assert/strict";
import { jwtVerify, SignJWT } from "jose";
import { createJwtVerifier } from "./jwt.ts";
import { FULL_ACCESS } from "./options.ts";
import { createTickets } from "./tickets.ts";

const secret = "a secret of more than thirty-two bytes";

Deno.test("a ticket is valid for its task until it expires, on every instance with the same secret", async () => {
  let nowMs = 1_000_000;
  const now = () => nowMs;
  const [here, there, stranger] = [
    createTickets({ secret, now }),
    createTickets({ secret, now }),
    createTickets({ now }),
  ];
  const context = { ...FULL_ACCESS, sub: "me", expiresAtMs: 9_000_000 };
  const { ticket, expiresAt } = await here.issue(
    { id: "t1", incarnation: "0123abcd" },
    context,
    60_000,
  );
  assert.equal(expiresAt, 1_060_000);
  const holder = await there.verify(ticket, "t1");
  assert.deepEqual(holder, {
    taskIds: ["t1"],
    scope: ["event:subscribe"],
    byTicket: true,
    incarnation: "0123abcd",
    sub: "me",
    expiresAtMs: 9_000_000,
  });
  await assert.rejects(there.verify(ticket, "t2"), { code: "UNAUTHORIZED", message: /another/ });
  await assert.rejects(stranger.verify(ticket, "t1"), { code: "UNAUTHORIZED" });
  await assert.rejects(there.verify(ticket + "x", "t1"), { code: "UNAUTHORIZED" });
  nowMs = 1_060_000;
  await assert.rejects(there.verify(ticket, "t1"), { code: "UNAUTHORIZED", message: /expired/ });
});

Deno.test("tickets are not accepted as tokens, nor tokens as tickets, even with the same secret", async () => {
  const tickets = createTickets({ secret, now: Date.now });
  const { ticket } = await tickets.issue(
    { id: "t1", incarnation: "0123abcd" },
    FULL_ACCESS,
    60_000,
  );
  await assert.rejects(createJwtVerifier({ secret })(ticket), { code: "UNAUTHORIZED" });
  const token = await new SignJWT({ task: "t1", expiresAt: Date.now() + 60_000 })
    .setProtectedHeader({ alg: "HS256" }).setAudience("taskcast:ticket")
    .sign(new TextEncoder().encode(secret));
  await assert.rejects(tickets.verify(token, "t1"), { code: "UNAUTHORIZED" });
  await assert.rejects(jwtVerify(ticket, new TextEncoder().encode(secret)));
});
