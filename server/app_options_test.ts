import assert from "node:assert/strict";
import { MemoryBroadcastProvider, MemoryShortTermStore, TaskEngine } from "@taskcast/core";
import { createTaskcastApp } from "./app.ts";

// deno-lint-ignore no-explicit-any
type Anything = any;

const key = "a key of many characters";
const secret = "a secret of more than thirty-two bytes";

Deno.test("createTaskcastApp() rejects invalid options and names them", async () => {
  await using engine = new TaskEngine({
    broadcast: new MemoryBroadcastProvider(),
    shortTermStore: new MemoryShortTermStore(),
  });
  const whole: [options: Anything, message: RegExp][] = [
    [undefined, /object of options/],
    [null, /object of options/],
    ["engine", /object of options/],
    [{}, /"engine", a TaskEngine/],
    [{ engine: {} }, /"engine", a TaskEngine/],
    [{ engine: TaskEngine }, /"engine", a TaskEngine/],
  ];
  const parts: [more: Anything, message: RegExp][] = [
    // These options ask for authentication, so ignoring them would let everybody in.
    [{ auth: "jwt" }, /auth must be an object/],
    [{ auth: null }, /auth must be an object/],
    [{ auth: ["jwt"] }, /auth must be an object/],
    [{ auth: { jwt: { secret } } }, /auth\.jwt needs auth\.mode: "jwt"/],
    [{ auth: { authenticate: () => null } }, /auth\.authenticate needs auth\.mode: "custom"/],
    [{ auth: { mode: "jwt", jwt: null } }, /the mode "jwt" needs "jwt"/],
    [{ auth: { mode: "jwt", jwt: secret } }, /the mode "jwt" needs "jwt"/],
    [{ trustedServices: null }, /trustedServices must be an object/],
    [{ trustedServices: ["a key of sixteen characters"] }, /trustedServices must be an object/],
    ...([
      [{ a: 5 }, /trustedServices\.a must be a key or an object/],
      [{ a: "short" }, /trustedServices\.a must be a key of at least 16/],
      [{ a: { key: "short" } }, /trustedServices\.a\.key must be a key of at least 16/],
      [{ a: { key, scopes: ["task:create"] } }, /a\.scopes is not known; did you mean "scope"/],
      [{ a: { key, scope: [] } }, /a\.scope must be a list of scopes/],
      [{ a: { key, scope: undefined } }, /a\.scope must not be undefined: leave it out/],
      [{ a: { key, taskIds: undefined } }, /a\.taskIds must not be undefined: leave it out/],
      [{ a: { key, scope: "task:create" } }, /a\.scope must be a list of scopes/],
      [{ a: { key, scope: ["tasks"] } }, /a\.scope must be a list of scopes/],
      [{ a: { key, taskIds: "t" } }, /a\.taskIds must be "\*" or a list/],
      [{ a: { key, taskIds: [5] } }, /a\.taskIds must be "\*" or a list/],
    ] as const).map(([trustedServices, message]) =>
      [{ auth: { mode: "jwt", jwt: { secret } }, trustedServices }, message] as [Anything, RegExp]
    ),
    // Without authentication every caller has full access, so the limits would have no effect.
    [{ trustedServices: { a: { key, taskIds: ["t"] } } }, /need auth\.mode "jwt" or "custom"/],
    [{ providers: "redis" }, /providers must be an object/],
    [{ ticketSecret: "" }, /ticketSecret must be a text/],
    [{ ticketSecret: 5 }, /ticketSecret must be a text/],
    [
      { ticketSecret: "guessable" },
      /ticketSecret has 9 bytes and needs 32.*; or set allowShortSecrets/,
    ],
    [
      { auth: { mode: "jwt", jwt: { secret: "guessable" } } },
      /auth\.jwt\.secret has 9 bytes and needs 32.*; or set allowShortSecrets/,
    ],
    [{ ticketSecret: " ".repeat(40) }, /ticketSecret has nothing but spaces/],
    [
      { auth: { mode: "jwt", jwt: { secret: " \t\n".repeat(20) } } },
      /auth\.jwt\.secret has nothing but spaces.*; or set allowShortSecrets/,
    ],
    ...[null, 5, {}].flatMap((value): [Anything, RegExp][] => [
      [
        { auth: { mode: "jwt", jwt: { secret, claims: { scope: value } } } },
        /claims\.scope must be/,
      ],
      [{ auth: { mode: "jwt", jwt: { secret, issuer: value } } }, /auth\.jwt\.issuer must be/],
      [{ auth: { mode: "jwt", jwt: { secret, audience: value } } }, /auth\.jwt\.audience must be/],
    ]),
    [{ allowShortSecrets: "yes" }, /allowShortSecrets must be true or false/],
    [{ maxBodyBytes: "1mb" }, /maxBodyBytes must be a whole number/],
    [{ maxBodyBytes: NaN }, /maxBodyBytes must be a whole number/],
    [{ maxBodyBytes: 0 }, /maxBodyBytes must be a whole number/],
    [{ onAnswered: "log" }, /onAnswered must be a function/],
    [{ clientAddress: "10.0.0.1" }, /clientAddress must be a function/],
    [{ rateLimit: null }, /rateLimit must be an object/],
    [{ ignoredParameters: "code" }, /ignoredParameters must be a list/],
    [{ ignoredParameters: ["utm_*"] }, /ignoredParameters must be a list .* without wildcards/],
    [{ ignoredParameters: [""] }, /ignoredParameters must be a list/],
    [{ ignoredParameters: ["types"] }, /ignoredParameters must not have "types"/],
    [{ ignoredParameters: ["status"] }, /ignoredParameters must not have "status"/],
    // An unknown key: ignored, it would turn off authentication or a limit.
    [{ atuh: { mode: "jwt" } }, /atuh is not known; did you mean "auth"\?/],
    [{ auth: { mod: "jwt" } }, /auth\.mod is not known; did you mean "mode"\?/],
    [
      { auth: { mode: "jwt", jwt: { secret, audiance: "tasks" } } },
      /auth\.jwt\.audiance is not known; did you mean "audience"\?/,
    ],
    [{ cors: { origin: "*", credential: true } }, /cors\.credential .* "credentials"\?/],
    [{ maxStream: 5 }, /maxStream is not known; did you mean "maxStreams"\?/],
    [
      { rateLimit: { requestsPerSecond: 5, bursts: 9 }, auth: { mode: "jwt", jwt: { secret } } },
      /rateLimit\.bursts is not known; did you mean "burst"\?/,
    ],
  ];
  const all = [
    ...whole,
    ...parts.map(([more, message]) => [{ engine, ...more }, message] as const),
  ];
  for (const [options, message] of all) {
    assert.throws(() => createTaskcastApp(options), { name: "TypeError", message });
  }
  for (const auth of [undefined, {}, { mode: "none", jwt: { secret } }] as Anything[]) {
    assert(createTaskcastApp({ engine, auth, maxBodyBytes: Infinity }));
  }
});
