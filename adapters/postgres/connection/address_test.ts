import assert from "node:assert/strict";
import { tempFolder } from "../../../testing/temp_file.ts";
import { parsePostgresAddress } from "./address.ts";
import type { TlsOptions } from "./tls.ts";

function parsed(address: string): Record<string, unknown> {
  const entries = Object.entries(parsePostgresAddress(address));
  return Object.fromEntries(
    entries.filter(([name, value]) =>
      value !== undefined && !(name === "settings" && isEmpty(value))
    ),
  );
}

const isEmpty = (value: object) => Object.keys(value).length === 0;

Deno.test("parsePostgresAddress() reads addresses as hosts hand them out", () => {
  const hosts = [{ host: "h", port: undefined }];
  const cases: [string, Record<string, unknown>][] = [
    ["postgres://h", { hosts }],
    ["postgresql:///db", { hosts: [], database: "db" }],
    [ // Neon.
      "postgresql://u:p@ep-x-1.neon.tech/db?sslmode=require&channel_binding=require",
      {
        user: "u",
        password: "p",
        hosts: [{ host: "ep-x-1.neon.tech", port: undefined }],
        database: "db",
        tls: "require",
      },
    ],
    [ // Supabase, for Prisma.
      "postgres://u.ref:p@h:6543/db?pgbouncer=true&connection_limit=1&schema=public&pool_timeout=0",
      {
        user: "u.ref",
        password: "p",
        hosts: [{ host: "h", port: 6543 }],
        database: "db",
        prepares: false,
      },
    ],
    [ // Percent-encoding in every part.
      "postgres://u%40s:p%3A%2F%3F%23@%68:%35/d%20b%2F?application_name=a%26b&options=-c%20geqo%3Doff",
      {
        user: "u@s",
        password: "p:/?#",
        hosts: [{ host: "h", port: 5 }],
        database: "d b/",
        settings: { application_name: "a&b", options: "-c geqo=off" },
      },
    ],
    ["postgres://u:50%@h", { user: "u", password: "50%", hosts }],
    ["postgres://u@azure:p@h", { user: "u@azure", password: "p", hosts }],
    ["postgres://[::1]:6,b/", {
      hosts: [{ host: "::1", port: 6 }, { host: "b", port: undefined }],
    }],
    [
      "postgres://u:p@/db?host=/cloudsql/a:b:c",
      {
        user: "u",
        password: "p",
        hosts: [{ host: "/cloudsql/a:b:c", port: undefined }],
        database: "db",
      },
    ],
    ["postgres://%2Fvar%2Frun/db", {
      hosts: [{ host: "/var/run", port: undefined }],
      database: "db",
    }],
    ["postgres:///?host=h&port=7&user=u&password=p&dbname=d", {
      hosts: [{ host: "h", port: 7 }],
      user: "u",
      password: "p",
      database: "d",
    }],
    ["postgres://h?sslmode=disable", { hosts, tls: false }],
    ["postgres://h?sslmode=prefer", { hosts, tls: "prefer" }],
    ["postgres://h?ssl=true", { hosts, tls: { rejectUnauthorized: true } }],
    ["postgres://h?sslmode=verify-full", { hosts, tls: { rejectUnauthorized: true } }],
    ["postgres://h?sslrootcert=system", { hosts, tls: { rejectUnauthorized: true } }],
    ["postgres://h?sslmode=require&sslaccept=strict", { hosts, tls: { rejectUnauthorized: true } }],
    ["postgres://h?connect_timeout=15", { hosts, connectSeconds: 15 }],
    ["postgres://h?connect_timeout=0", { hosts, connectSeconds: 60 }],
    ["postgres://h?target_session_attrs=read-write", { hosts, target: "read-write" }],
    ["postgres://h?target_session_attrs=any&client_encoding=utf8", { hosts }],
  ];
  for (const [address, expected] of cases) assert.deepEqual(parsed(address), expected, address);
});

Deno.test("parsePostgresAddress() refuses what it cannot follow, by its name and without a secret", () => {
  const cases: [string, RegExp][] = [
    ["mysql://u:secret@h", /must begin with postgres:\/\//],
    [
      "postgres://u:secret@h?sslmod=require",
      /"sslmod", which is not known: did you mean "sslmode"\?/,
    ],
    ["postgres://u:secret@h?shema=x", /"shema", which is not known/],
    ["postgres://h?sslpasword=secret", /"sslpasword"/],
    ["postgres://u:secret@h?sslmode=secret", /"sslmode", which must be one of/],
    ["postgres://u:secret@h?require_auth=scram-sha-256", /"require_auth"/],
    ["postgres://u:secret@h?ssl_min_protocol_version=TLSv1.3", /"ssl_min_protocol_version"/],
    [
      "postgres://u:secret@h?sslrootcert=/nowhere/secret.pem",
      /"sslrootcert", which must name a file/,
    ],
    ["postgres://u:secret@h?gssencmode=require", /"gssencmode"/],
    ["postgres://u:secret@h?client_encoding=latin1", /"client_encoding", which must be UTF8/],
    ["postgres://u:secret@h?target_session_attrs=standby", /"target_session_attrs"/],
    ["postgres://u:secret@h?connect_timeout=soon", /"connect_timeout"/],
    ["postgres://u:secret@h?sslmode=require&sslmode=disable", /"sslmode" twice/],
    ["postgres://u:secret@h:99999", /port that is not/],
    ["postgres://u:1/secret@h", /must be written as/],
    ["postgres://u:1?secret@h", /must be written as/],
    ["postgres://u:1#secret@h", /must be written as/],
    ["postgres://u:secret@h ost", /must be written as/],
    ["postgres://u:secret%00x@h", /%00/],
  ];
  for (const [address, message] of cases) {
    assert.throws(() => parsePostgresAddress(address), (error: Error) => {
      assert(error instanceof TypeError);
      assert.match(error.message, message, address);
      assert(!error.message.includes("secret"), error.message);
      return true;
    });
  }
});

Deno.test("parsePostgresAddress() reads the files of certificates, as libpq and Prisma name them", async () => {
  await using folder = await tempFolder({ "ca.pem": "CA", "own.pem": "OWN", "own.key": "KEY" });
  const tls = (query: string) =>
    parsePostgresAddress(`postgres://h?${query}`.replaceAll("=./", `=${folder.path}/`)).tls;
  assert.deepEqual(tls("sslmode=verify-full&sslrootcert=./ca.pem"), {
    ca: "CA",
    rejectUnauthorized: true,
  });
  const checksChain = tls("sslmode=require&sslrootcert=./ca.pem") as TlsOptions;
  assert.deepEqual([checksChain.ca, checksChain.rejectUnauthorized], ["CA", true]);
  assert.equal(checksChain.checkServerIdentity!(), undefined);
  assert.deepEqual(tls("sslmode=require&sslaccept=strict&sslcert=./ca.pem"), {
    ca: "CA",
    rejectUnauthorized: true,
  });
  assert.deepEqual(tls("sslmode=require&sslcert=./own.pem&sslkey=./own.key&sslpassword=x"), {
    cert: "OWN",
    key: "KEY",
    passphrase: "x",
    rejectUnauthorized: false,
  });
});
