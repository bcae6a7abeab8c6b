import assert from "node:assert/strict";
import { SignJWT } from "jose";
import { claimReader } from "./claims.ts";
import { createJwtVerifier } from "./jwt.ts";
import type { JwtClaims } from "./options.ts";

// deno-lint-ignore no-explicit-any
type Anything = any;

Deno.test("claims are read in the formats of common issuers", async () => {
  const secret = "a secret of more than thirty-two bytes";
  const issuers: [name: string, claims: JwtClaims, token: Record<string, unknown>][] = [
    ["Auth0", { scope: "permissions", taskIds: "https://example.com/tasks" }, {
      scope: "openid profile",
      permissions: ["event:subscribe", "event:history", "read:something-else"],
      "https://example.com/tasks": ["a", "b"],
    }],
    ["Microsoft Entra, a user", { scope: ["scp", "roles"], taskIds: "extn.tasks" }, {
      scp: "event:subscribe event:history User.Read",
      "extn.tasks": ["a", "b"],
    }],
    ["Microsoft Entra, a program", { scope: ["scp", "roles"], taskIds: "extn.tasks" }, {
      roles: ["event:subscribe", "event:history"],
      "extn.tasks": ["a", "b"],
    }],
    ["Okta", { scope: "scp" }, {
      scp: ["event:subscribe", "event:history", "offline_access"],
      taskIds: ["a", "b"],
    }],
    ["Amazon Cognito", { prefix: "taskcast/" }, {
      scope: "taskcast/event:subscribe taskcast/event:history other/task:create task:manage",
      taskIds: ["a", "b"],
    }],
    ["Keycloak, roles of the realm", { scope: "realm_access.roles", prefix: "taskcast:" }, {
      scope: "openid email",
      realm_access: {
        roles: ["taskcast:event:subscribe", "taskcast:event:history", "offline_access", "*"],
      },
      taskIds: ["a", "b"],
    }],
    ["Keycloak, roles of a client", { scope: "resource_access.my.tasks.roles" }, {
      resource_access: {
        account: { roles: ["*"] },
        "my.tasks": { roles: ["event:history", "event:subscribe"] },
      },
      taskIds: ["a", "b"],
    }],
  ];
  for (const [name, claims, token] of issuers) {
    const verify = createJwtVerifier({ secret, claims });
    const text = await new SignJWT({ sub: "me", ...token }).setProtectedHeader({ alg: "HS256" })
      .sign(new TextEncoder().encode(secret));
    const { taskIds, scope, sub } = await verify(text);
    assert.deepEqual(
      { taskIds, scope, sub },
      { taskIds: ["a", "b"], scope: ["event:subscribe", "event:history"], sub: "me" },
      name,
    );
  }
});

Deno.test('taskIds: "*" allows all tasks for every token; without it, a missing claim allows none', () => {
  assert.equal(claimReader({ taskIds: "*" })({ taskIds: ["a"] }).taskIds, "*");
  assert.deepEqual(claimReader({ taskIds: "tasks" })({ taskIds: ["a"] }).taskIds, []);
  assert.deepEqual(claimReader()({}), { taskIds: [], scope: [] });
});

Deno.test("scopes without the prefix and claims that are not configured grant nothing", () => {
  const read = claimReader({ scope: "permissions", prefix: "tasks/" });
  assert.deepEqual(read({ scope: "*", permissions: ["*", "task:create", "tasks/", "/tasks/*"] }), {
    taskIds: [],
    scope: [],
  });
  assert.deepEqual(read({ permissions: "tasks/*" }).scope, ["*"]);
  // An exact name takes precedence over a path.
  const both = { "a.b": ["task:create"], a: { b: ["*"] } };
  assert.deepEqual(claimReader({ scope: "a.b" })(both).scope, ["task:create"]);
});

Deno.test("hostile claims grant nothing: prototypes, values of other types, very long lists", () => {
  const proto = JSON.parse('{"__proto__":{"scope":"*","taskIds":"*"},"a":{"__proto__":{"b":"*"}}}');
  for (const scope of ["scope", "a.b", "constructor.name", "a.constructor.name", "toString", "."]) {
    assert.deepEqual(claimReader({ scope })(proto), { taskIds: [], scope: [] }, scope);
  }
  // A path leads only into objects.
  for (const roles of ["*", ["*"], null, 5, true]) {
    const read = claimReader({ scope: "roles.length", taskIds: "roles.0" });
    assert.deepEqual(read({ roles }), { taskIds: [], scope: [] }, JSON.stringify(roles));
  }
  const refused: [claims: Record<string, unknown>, name: RegExp][] = [
    [{ permissions: ["task:create", 5] }, /"permissions"/],
    [{ permissions: [["*"]] }, /"permissions"/],
    [{ permissions: [null] }, /"permissions"/],
    [{ permissions: { "*": true } }, /"permissions"/],
    [{ permissions: 5 }, /"permissions"/],
    [{ permissions: null }, /"permissions"/],
    [{ tasks: "a b" }, /"tasks"/],
    [{ tasks: [{ id: "*" }] }, /"tasks"/],
    [{ tasks: { "*": true } }, /"tasks"/],
  ];
  const read = claimReader({ scope: "permissions", taskIds: "tasks" });
  for (const [claims, message] of refused) {
    assert.throws(() => read(claims), { code: "UNAUTHORIZED", message }, JSON.stringify(claims));
  }
  const many = Array.from({ length: 20_000 }, (_, i) => `role-${i}`);
  let reads = 0;
  const permissions = new Proxy([...many, "task:create"], {
    get(target, name, receiver) {
      reads++;
      return Reflect.get(target, name, receiver);
    },
  });
  assert.deepEqual(read({ permissions }).scope, ["task:create"]);
  assert(reads < 10 * many.length, `${reads} reads`);
});

Deno.test("invalid claim options are rejected when the app is created", () => {
  const cases: [claims: Anything, message: RegExp][] = [
    [{ scopes: "scp" }, /auth\.jwt\.claims\.scopes is not known; did you mean "scope"\?/],
    [{ scope: [] }, /claims\.scope must be the name/],
    [{ scope: [""] }, /claims\.scope must be the name/],
    [{ scope: [5] }, /claims\.scope must be the name/],
    [{ scope: null }, /claims\.scope must be the name/],
    [{ scope: 5 }, /claims\.scope must be the name/],
    [{ scope: {} }, /claims\.scope must be the name/],
    [{ taskIds: null }, /claims\.taskIds must be the name/],
    [{ taskIds: "" }, /claims\.taskIds must be the name/],
    [{ taskIds: ["a"] }, /claims\.taskIds must be the name/],
    [{ prefix: 5 }, /claims\.prefix must be a text/],
    ["scp", /claims must be an object/],
    [null, /claims must be an object/],
  ];
  for (const [claims, message] of cases) {
    assert.throws(() => createJwtVerifier({ secret: "s", claims }), { name: "TypeError", message });
  }
});
