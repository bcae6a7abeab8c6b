import type { AuthConfig, JwtConfig } from "@taskcast/core/config";
import type { AuthOptions, JwtOptions } from "@taskcast/server";
import { keyFlaw, readKeyFile } from "./jwt_key.ts";
import type { Layers, Source } from "./layers.ts";
import { leavesOf, rankOf, sourceText } from "./layers.ts";

/** Who may call, and what is wrong with that or worth to be told. */
export interface ChosenAuth {
  auth: AuthOptions;
  problems: string[];
  /** What was said and is not used, since what goes before it says something else. */
  warnings: string[];
}

/** Public keys: one of these for every algorithm but HS256. */
const PUBLIC = ["publicKey", "publicKeyFile", "jwksUrl"] as const;

/** Puts together who may call. Whoever gives a key or a function wants it to be asked for. */
export async function authOf(layers: Layers, file: string): Promise<ChosenAuth> {
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
  const modeIs = describe(layers.sources.get("auth.mode"), file, "auth.mode", mode);
  if (mode === "custom") {
    if (auth.custom !== undefined) {
      return { auth: { mode, authenticate: auth.custom }, ...unused };
    }
    return fail([
      `${modeIs} needs a function: auth.custom of a configuration in TypeScript or JavaScript`,
    ]);
  }
  const { jwt, problems } = await jwtOf(layers, auth.jwt ?? {}, file, modeIs);
  return problems.length > 0 ? fail(problems) : { auth: { mode, jwt }, ...unused };
}

/** Services with limits that would bind nobody, since a caller without a key may do everything. */
function limitedServices({ config }: Layers, file: string): string[] {
  return Object.entries(config.trustedServices ?? {}).flatMap(([name, service]) =>
    typeof service === "string" || (service.scope ?? service.taskIds) === undefined ? [] : [
      `${file}: trustedServices.${name}: scope and taskIds need auth.mode: jwt or custom; without ` +
      "authentication everybody may do everything",
    ]
  );
}

/** What is said of a mode that is not on. It is a mistake, unless what goes before it chose so. */
function unusedParts(
  { sources }: Layers,
  auth: AuthConfig,
  mode: string,
  file: string,
): Pick<ChosenAuth, "problems" | "warnings"> {
  const problems: string[] = [];
  const warnings: string[] = [];
  const modeSource = sources.get("auth.mode");
  const look = (part: "jwt" | "custom") => {
    const inFile: Source[] = [];
    for (const [path] of leavesOf(auth[part], ["auth", part])) {
      const source = sources.get(path.join("."));
      if (source?.from !== "env") inFile.push(source ?? { from: "default" });
      else if (rankOf(source) >= rankOf(modeSource)) {
        problems.push(`${source.name} needs TASKCAST_AUTH_MODE=${part}`);
      } else warnings.push(`${source.name} is not used, since the auth mode is ${mode}`);
    }
    if (inFile.length === 0) return;
    if (rankOf(inFile[0]) >= rankOf(modeSource)) {
      problems.push(`${file}: auth.${part} needs auth.mode: ${part}`);
    } else {
      warnings.push(`auth.${part} of ${file} is not used: ${sourceText(modeSource!)} is ${mode}`);
    }
  };
  if (mode !== "jwt") look("jwt");
  if (mode !== "custom" && auth.custom !== undefined) look("custom");
  return { problems, warnings };
}

async function jwtOf(
  { sources }: Layers,
  config: JwtConfig,
  file: string,
  modeIs: string,
): Promise<{ jwt: JwtOptions; problems: string[] }> {
  const { algorithm = "HS256", publicKeyFile, ...rest } = config;
  const jwt: JwtOptions = { algorithm, ...rest };
  const problems: string[] = [];
  const named = (key: keyof JwtConfig) => {
    const source = sources.get(`auth.jwt.${key}`);
    return source?.from === "env" ? `${source.name}:` : `${file}: auth.jwt.${key}:`;
  };
  const given = PUBLIC.filter((key) => config[key] !== undefined);
  if (algorithm === "HS256") {
    problems.push(
      ...given.map((key) =>
        `${
          named(key)
        } HS256 takes a secret, no public key; say the algorithm, which is that of the key`
      ),
    );
    if (config.secret === undefined && given.length === 0) {
      problems.push(
        file === ""
          ? `${modeIs} needs TASKCAST_JWT_SECRET`
          : `${modeIs} needs auth.jwt.secret or TASKCAST_JWT_SECRET`,
      );
    }
    return { jwt, problems };
  }
  if (config.secret !== undefined) {
    problems.push(`${named("secret")} ${algorithm} takes a public key, no secret`);
  } else if (given.length === 0) {
    const keys = file === "" ? "" : "auth.jwt.publicKey, publicKeyFile or jwksUrl, or ";
    const source = sources.get("auth.jwt.algorithm");
    const chosen = describe(source, file, "auth.jwt.algorithm", algorithm);
    problems.push(`${chosen} needs ${keys}TASKCAST_JWT_PUBLIC_KEY_FILE`);
  } else if (given.length > 1) {
    problems.push(`${named(given[1]!)} there is ${given[0]}, too; only one can be the key`);
  }
  if (problems.length > 0) return { jwt, problems };
  if (publicKeyFile !== undefined) {
    const read = readKeyFile(publicKeyFile);
    if ("flaw" in read) return { jwt, problems: [`${named("publicKeyFile")} ${read.flaw}`] };
    jwt.publicKey = read.key;
  }
  if (jwt.publicKey !== undefined) {
    const flaw = await keyFlaw(jwt.publicKey, algorithm);
    const which = publicKeyFile === undefined ? "what is there" : publicKeyFile;
    if (flaw !== undefined) problems.push(`${named(given[0]!)} ${which} ${flaw}`);
  }
  return { jwt, problems };
}

/** A setting as whoever gave it wrote it. */
function describe(source: Source | undefined, file: string, path: string, value: string): string {
  return source?.from === "env" ? `${source.name}=${value}` : `${file}: ${path}: ${value}`;
}
