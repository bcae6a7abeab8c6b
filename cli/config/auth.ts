import { resolve } from "node:path";
import type { AuthConfig, JwtAlgorithm, JwtConfig } from "@taskcast/core/config";
import type { AuthOptions, JwtOptions } from "@taskcast/server";
import { readText, UnreadableFile } from "../files/read_text.ts";
import type { Layers, Source } from "./layers.ts";
import { leavesOf, precedenceOf, sourceText } from "./layers.ts";

/** Authentication as configured, and the problems with it. */
export interface ChosenAuth {
  auth: AuthOptions;
  problems: string[];
  /** Settings without effect, since a source of higher precedence chose another mode. */
  warnings: string[];
}

/** Public keys: every algorithm but HS256 needs one of these. */
const PUBLIC_KEYS = ["publicKey", "publicKeyFile", "jwksUrl"] as const;

/**
 * Chooses the authentication. A key or a function without its mode is a problem, since somebody
 * expects it to be required.
 *
 * @param file The configuration file's name in messages; empty if there is none.
 * @param folder The working folder, from which relative paths count.
 */
export async function chooseAuth(
  layers: Layers,
  file: string,
  folder: string,
): Promise<ChosenAuth> {
  const auth: AuthConfig = layers.config.auth ?? {};
  const mode = auth.mode ?? "none";
  const unused = unusedParts(layers, auth, mode, file);
  const fail = (problems: string[]): ChosenAuth => ({
    auth: { mode: "none" },
    ...unused,
    problems: [...unused.problems, ...problems],
  });
  if (mode === "none") {
    const problems = limitedServices(layers, file);
    return problems.length > 0 ? fail(problems) : { auth: { mode }, ...unused };
  }
  const chosen = settingText(layers.sources.get("auth.mode"), file, "auth.mode", mode);
  if (mode === "custom") {
    if (auth.custom !== undefined) {
      return { auth: { mode, authenticate: auth.custom }, ...unused };
    }
    return fail([
      `${chosen} needs a function: auth.custom of a configuration in TypeScript or JavaScript`,
    ]);
  }
  const { jwt, problems } = await chooseJwt(layers, auth.jwt ?? {}, { file, folder, chosen });
  return problems.length > 0 ? fail(problems) : { auth: { mode, jwt }, ...unused };
}

/** Returns problems with limited services, since without authentication nobody needs a key. */
function limitedServices({ config }: Layers, file: string): string[] {
  return Object.entries(config.trustedServices ?? {}).flatMap(([name, service]) =>
    typeof service === "string" || (service.scope ?? service.taskIds) === undefined ? [] : [
      `${file}: trustedServices.${name}: scope and taskIds need auth.mode: jwt or custom; without ` +
      "authentication everybody may do everything",
    ]
  );
}

/**
 * Finds settings of a mode that is off. They are a problem, unless a source of higher precedence
 * chose another mode.
 */
function unusedParts(
  { sources }: Layers,
  auth: AuthConfig,
  mode: string,
  file: string,
): Pick<ChosenAuth, "problems" | "warnings"> {
  const problems: string[] = [];
  const warnings: string[] = [];
  const modeSource = sources.get("auth.mode");
  const find = (part: "jwt" | "custom") => {
    const inFile: Source[] = [];
    for (const [path] of leavesOf(auth[part], ["auth", part])) {
      const source = sources.get(path.join("."));
      if (source?.from !== "env") inFile.push(source ?? { from: "default" });
      else if (precedenceOf(source) >= precedenceOf(modeSource)) {
        problems.push(`${source.name} needs TASKCAST_AUTH_MODE=${part}`);
      } else warnings.push(`${source.name} is not used, since the auth mode is ${mode}`);
    }
    if (inFile.length === 0) return;
    if (precedenceOf(inFile[0]) >= precedenceOf(modeSource)) {
      problems.push(`${file}: auth.${part} needs auth.mode: ${part}`);
    } else {
      warnings.push(`auth.${part} of ${file} is not used: ${sourceText(modeSource!)} is ${mode}`);
    }
  };
  if (mode !== "jwt") find("jwt");
  if (mode !== "custom" && auth.custom !== undefined) find("custom");
  return { problems, warnings };
}

async function chooseJwt(
  { sources }: Layers,
  config: JwtConfig,
  { file, folder, chosen }: { file: string; folder: string; chosen: string },
): Promise<{ jwt: JwtOptions; problems: string[] }> {
  const { algorithm = "HS256", publicKeyFile, ...rest } = config;
  const jwt: JwtOptions = { algorithm, ...rest };
  const problems: string[] = [];
  const settingName = (key: keyof JwtConfig) => {
    const source = sources.get(`auth.jwt.${key}`);
    return source?.from === "env" ? `${source.name}:` : `${file}: auth.jwt.${key}:`;
  };
  const publicKeys = PUBLIC_KEYS.filter((key) => config[key] !== undefined);
  if (algorithm === "HS256") {
    for (const key of publicKeys) {
      problems.push(
        `${settingName(key)} HS256 takes a secret, not a public key; set the algorithm of the key`,
      );
    }
    if (config.secret === undefined && publicKeys.length === 0) {
      const key = file === "" ? "" : "auth.jwt.secret or ";
      problems.push(`${chosen} needs ${key}TASKCAST_JWT_SECRET`);
    }
    return { jwt, problems };
  }
  if (config.secret !== undefined) {
    problems.push(`${settingName("secret")} ${algorithm} takes a public key, not a secret`);
  } else if (publicKeys.length === 0) {
    const keys = file === "" ? "" : "auth.jwt.publicKey, publicKeyFile or jwksUrl, or ";
    const source = sources.get("auth.jwt.algorithm");
    const setting = settingText(source, file, "auth.jwt.algorithm", algorithm);
    problems.push(`${setting} needs ${keys}TASKCAST_JWT_PUBLIC_KEY_FILE`);
  } else if (publicKeys.length > 1) {
    problems.push(
      `${settingName(publicKeys[1]!)} is a second key beside ${publicKeys[0]}; only one is allowed`,
    );
  }
  if (problems.length > 0) return { jwt, problems };
  if (publicKeyFile !== undefined) {
    const read = readKeyFile(publicKeyFile, folder);
    if ("problem" in read) {
      return { jwt, problems: [`${settingName("publicKeyFile")} ${read.problem}`] };
    }
    jwt.publicKey = read.key;
  }
  if (jwt.publicKey !== undefined) {
    const problem = await publicKeyProblem(jwt.publicKey, algorithm);
    const which = publicKeyFile ?? "what is there";
    if (problem !== undefined) problems.push(`${settingName(publicKeys[0]!)} ${which} ${problem}`);
  }
  return { jwt, problems };
}

/** Returns a setting as its author wrote it. */
function settingText(
  source: Source | undefined,
  file: string,
  path: string,
  value: string,
): string {
  return source?.from === "env" ? `${source.name}=${value}` : `${file}: ${path}: ${value}`;
}

function readKeyFile(path: string, folder: string): { key: string } | { problem: string } {
  try {
    return { key: readText(resolve(folder, path)) };
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    if (error.code === "ENOENT") return { problem: `there is no file ${path}` };
    return { problem: `the file ${path} cannot be read: ${error.message}` };
  }
}

/**
 * Returns why a text is not a public key for an algorithm; `undefined` if it is one. Checked at the
 * start, since otherwise only the first token would tell.
 */
async function publicKeyProblem(
  text: string,
  algorithm: JwtAlgorithm,
): Promise<string | undefined> {
  const key = text.trim();
  const kind = /-----BEGIN ([A-Z ]+)-----/.exec(key)?.[1];
  if (kind?.includes("PRIVATE KEY")) {
    return "is a private key, which only the signer of tokens needs; set the public key";
  }
  if (kind !== undefined && kind !== "PUBLIC KEY") {
    return `is a ${kind}, and a PUBLIC KEY (SPKI) is needed: openssl pkey -pubin, or openssl x509 -pubkey`;
  }
  const { importJWK, importSPKI } = await import("jose");
  try {
    if (key.startsWith("{")) await importJWK(JSON.parse(key), algorithm);
    else await importSPKI(key, algorithm);
    return undefined;
  } catch {
    return `is not a public key for ${algorithm}, as PEM (SPKI) or JWK`;
  }
}
