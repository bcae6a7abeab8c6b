import type { Ticket } from "@taskcast/core/protocol";
import { TaskcastError } from "@taskcast/core/protocol";
import { jose } from "./jose.ts";
import type { AuthContext, AuthOptions } from "./options.ts";

/** Issues and checks tickets. */
export interface Tickets {
  /**
   * Issues a ticket for one task's stream. The caller's right to the task must have been checked.
   *
   * @param incarnation The incarnation that was checked. The ticket opens no other.
   * @param expiresInMs How long the ticket can be used to connect.
   */
  issue(
    task: { id: string; incarnation: string },
    context: AuthContext,
    expiresInMs: number,
  ): Promise<Ticket>;
  /**
   * Returns the caller that a ticket stands for. Rejects with `UNAUTHORIZED` if the ticket is not
   * valid for the task.
   */
  verify(ticket: string, taskId: string): Promise<AuthContext>;
}

/** Separates tickets from tokens, though both may be signed with keys of one secret. */
const AUDIENCE = "taskcast:ticket";

/**
 * Creates tickets that are signed and not stored. They work after a restart and on every instance
 * with the same secret.
 *
 * A ticket's own expiry bounds connecting only. The stream lasts as long as the token behind the
 * ticket. The rules of an incarnation never change, so they are checked once, when the ticket is
 * issued. A ticket gives no right to another incarnation.
 *
 * @param options.secret @default a random one, valid for this process
 * @param options.now Unix time in milliseconds.
 */
export function createTickets(
  { secret, now }: { secret?: string; now: () => number },
): Tickets {
  let derived: Promise<CryptoKey> | undefined;
  const key = () => derived ??= deriveKey(secret ?? crypto.randomUUID() + crypto.randomUUID());
  return {
    async issue({ id, incarnation }, { sub, credential, expiresAtMs }, expiresInMs) {
      const expiresAt = now() + expiresInMs;
      const { SignJWT } = await jose();
      const ticket = await new SignJWT({
        task: id,
        incarnation,
        streamUntil: expiresAtMs,
        expiresAt,
        credential,
      })
        .setProtectedHeader({ alg: "HS256" })
        .setAudience(AUDIENCE)
        .setSubject(sub ?? "")
        .sign(await key());
      return { ticket, expiresAt };
    },
    async verify(ticket, taskId) {
      const { jwtVerify } = await jose();
      let claims;
      try {
        const options = { algorithms: ["HS256"], audience: AUDIENCE };
        claims = (await jwtVerify(ticket, await key(), options)).payload;
      } catch (cause) {
        throw new TaskcastError("UNAUTHORIZED", "The ticket is not valid", { cause });
      }
      const { sub, task, incarnation, streamUntil, expiresAt, credential } = claims;
      if (task !== taskId) {
        throw new TaskcastError("UNAUTHORIZED", "The ticket is for another task");
      }
      if (typeof incarnation !== "string") {
        throw new TaskcastError(
          "UNAUTHORIZED",
          "The ticket is from an older version: get a new one",
        );
      }
      if (!(now() < (expiresAt as number))) {
        throw new TaskcastError("UNAUTHORIZED", "The ticket has expired: get a new one");
      }
      const context: AuthContext = {
        taskIds: [taskId],
        scope: ["event:subscribe"],
        byTicket: true,
        incarnation,
      };
      if (sub) context.sub = sub;
      // The credential that got the ticket: many tickets must not count as many callers.
      if (typeof credential === "string") context.credential = credential;
      if (typeof streamUntil === "number") context.expiresAtMs = streamUntil;
      return context;
    },
  };
}

/** Returns the secret with which tickets can be signed, if the options have one. */
export function ticketSecretOf(auth: AuthOptions): string | undefined {
  return auth.mode === "jwt" ? auth.jwt?.secret : undefined;
}

/** Derives a separate key by HKDF (RFC 5869), so that a ticket is never a token or the reverse. */
async function deriveKey(secret: string): Promise<CryptoKey> {
  const utf8 = new TextEncoder();
  const material = await crypto.subtle.importKey("raw", utf8.encode(secret), "HKDF", false, [
    "deriveKey",
  ]);
  const info = utf8.encode("taskcast ticket v1");
  const salt = new Uint8Array(32);
  return await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt, info },
    material,
    { name: "HMAC", hash: "SHA-256", length: 256 },
    false,
    ["sign", "verify"],
  );
}
