import { SCOPES, TaskcastError } from "@taskcast/core/protocol";
import { assertKnownOptions } from "../assert_known_options.ts";
import { credentialOf } from "./credential.ts";
import type { AuthContext, TrustedService } from "./options.ts";
import { FULL_ACCESS } from "./options.ts";

/** Header in which a trusted service sends its key. */
export const SERVICE_KEY_HEADER = "x-taskcast-service-key";

const MIN_KEY_LENGTH = 16;

const PARTS = { key: true, scope: true, taskIds: true } as const;

/** Services by name. A key alone grants full access. */
export type TrustedServices = Record<string, string | TrustedService>;

/**
 * Returns a function that authenticates services by their keys.
 *
 * @param open Authentication is off.
 * @throws {TypeError} For invalid keys, or for restrictions that would have no effect.
 */
export function createKeyAuthenticator(
  services: TrustedServices,
  { open }: { open: boolean },
): (key: string) => Promise<AuthContext> {
  const known = Object.entries(services).map(([name, service]) => {
    const { key, ...rights } = typeof service === "string" ? { key: service } : service;
    assertService(`trustedServices.${name}`, service, open);
    return { name, digest: digest(key), rights };
  });
  return async (key) => {
    const given = await digest(key);
    let found: (typeof known)[number] | undefined;
    // Every key is compared, in constant time, so that timing reveals nothing about any of them.
    for (const service of known) if (equal(given, await service.digest)) found = service;
    if (found === undefined) {
      throw new TaskcastError("UNAUTHORIZED", "The service key is not known");
    }
    return {
      ...FULL_ACCESS,
      ...found.rights,
      sub: `service:${found.name}`,
      credential: await credentialOf("service", found.name),
    };
  };
}

function assertService(path: string, service: string | TrustedService, open: boolean): void {
  if (typeof service === "string") return assertKey(path, service);
  if (typeof service !== "object" || service === null || Array.isArray(service)) {
    throw new TypeError(`${path} must be a key or an object { key, scope, taskIds }`);
  }
  // A misspelt restriction would leave the service unrestricted.
  assertKnownOptions(service, PARTS, path);
  const { key, scope, taskIds } = service;
  assertKey(`${path}.key`, key);
  // Probably from a variable that is not set; it must not grant every right.
  for (const part of ["scope", "taskIds"] as const) {
    if (Object.hasOwn(service, part) && service[part] === undefined) {
      throw new TypeError(`${path}.${part} must not be undefined: leave it out for no restriction`);
    }
  }
  const isList = (value: unknown) => Array.isArray(value) && value.length > 0;
  if (scope !== undefined && !(isList(scope) && scope.every((one) => SCOPES.includes(one)))) {
    throw new TypeError(`${path}.scope must be a list of scopes: ${SCOPES.join(", ")}`);
  }
  const isIds = taskIds === "*" ||
    isList(taskIds) && (taskIds as string[]).every((id) => typeof id === "string");
  if (taskIds !== undefined && !isIds) {
    throw new TypeError(`${path}.taskIds must be "*" or a list of task ids`);
  }
  if (open && (scope !== undefined || taskIds !== undefined)) {
    throw new TypeError(
      `${path}: scope and taskIds need auth.mode "jwt" or "custom"; without authentication ` +
        "everybody may do everything",
    );
  }
}

function assertKey(path: string, key: unknown): void {
  if (typeof key === "string" && key.length >= MIN_KEY_LENGTH) return;
  throw new TypeError(`${path} must be a key of at least ${MIN_KEY_LENGTH} characters`);
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}
