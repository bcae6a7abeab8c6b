import { baseUrlProblem, TaskcastHttpError } from "@taskcast/client/http";
import type { Command } from "commander";
import { Option } from "commander";
import { OF_CLIENTS, PREFIX } from "../config/client_variables.ts";
import type { Environment } from "../config/layers.ts";
import { SettingsError } from "../config/settings_error.ts";

/** Options of commands that call a running server. */
export interface ClientFlags {
  url: string;
  token?: string;
}

/** The server cannot be reached, or requires a token that is missing. */
export class UnreachableError extends Error {}

/** Adds the options for the server's address and the access token. */
export function addClientOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--url <url>", "address of the server").env("TASKCAST_URL")
        .default("http://localhost:3721"),
    )
    .addOption(new Option("--token <token>", "access token").env("TASKCAST_TOKEN"));
}

/**
 * Runs a command that calls a server.
 *
 * @param work Receives the flags, with an address to which paths can be appended.
 * @throws {SettingsError} If the address or the token is invalid.
 * @throws {UnreachableError} If the server does not answer, or only with a token; the message names
 * its address.
 */
export async function reaching<Flags extends ClientFlags>(
  flags: Flags,
  env: Environment,
  work: (flags: Flags) => Promise<number>,
): Promise<number> {
  await assertVariables(env);
  const url = baseUrl(flags.url);
  // The error of a request with such a header would show the token.
  if (flags.token !== undefined && !/^\s*[!-~]*\s*$/.test(flags.token)) {
    throw new SettingsError(
      "--token (TASKCAST_TOKEN) has characters that no token has, as spaces or line breaks in it",
    );
  }
  try {
    return await work({ ...flags, url });
  } catch (error) {
    if (error instanceof TaskcastHttpError && error.status === 401 && !flags.token) {
      throw new UnreachableError(
        `the server at ${url} requires a token: --token or TASKCAST_TOKEN`,
      );
    }
    // `fetch` rejects with a TypeError if there is no answer.
    if (!(error instanceof TypeError)) throw error;
    const { message } = error.cause instanceof Error ? error.cause : error;
    throw new UnreachableError(
      `cannot reach the server at ${url}: ${message}\n` +
        "start one with `taskcast start`, or say where it is with --url or TASKCAST_URL",
    );
  }
}

/** @throws {SettingsError} If the name of a variable is misspelt. */
async function assertVariables(env: Environment): Promise<void> {
  const isOther = (name: string) =>
    name.toUpperCase().startsWith(PREFIX) && !OF_CLIENTS.includes(name);
  // All names are known only to the schema of the configuration, which is slow to load.
  if (!Object.keys(env).some(isOther)) return;
  const { variableFlaws } = await import("../config/variables.ts");
  const { problems } = variableFlaws(env);
  if (problems.length > 0) throw new SettingsError(problems.join("\n"));
}

function baseUrl(text: string): string {
  const problem = baseUrlProblem(text);
  if (problem !== undefined) throw new SettingsError(`--url ${problem}`);
  return text.replace(/\/+$/, "");
}
