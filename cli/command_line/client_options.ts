import { baseUrlProblem, TaskcastHttpError } from "@taskcast/client/http";
import { Option } from "commander";
import process from "node:process";
import { variableFlaws } from "../config/variables.ts";
import { SettingsError } from "../config/settings_error.ts";

/** What commands that speak to a running server are told. */
export interface ClientFlags {
  url: string;
  token?: string;
}

/** The server cannot be reached, or lets nobody in without a token. */
export class UnreachableError extends Error {}

/** `--url`. */
export function urlOption(): Option {
  return new Option("--url <url>", "the server").env("TASKCAST_URL")
    .default("http://localhost:3721");
}

/** `--token`. */
export function tokenOption(): Option {
  return new Option("--token <token>", "access token").env("TASKCAST_TOKEN");
}

/**
 * Lets a command speak to the server.
 *
 * @param work Gets the flags, with an address that paths can follow.
 * @throws {SettingsError} If the address is none, or the token cannot be one.
 * @throws {UnreachableError} If there is no answer, or none without a token; it says where the server
 * was looked for.
 */
export async function reaching<Flags extends ClientFlags>(
  flags: Flags,
  work: (flags: Flags) => Promise<number>,
): Promise<number> {
  const { problems } = variableFlaws(process.env);
  if (problems.length > 0) throw new SettingsError(problems.join("\n"));
  const url = baseUrl(flags.url);
  // What says so in a request's header would show the token.
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
        `the server at ${url} asks for a token: --token or TASKCAST_TOKEN`,
      );
    }
    // What `fetch` rejects with when there is no answer.
    if (!(error instanceof TypeError)) throw error;
    const { message } = error.cause instanceof Error ? error.cause : error;
    throw new UnreachableError(
      `cannot reach the server at ${url}: ${message}\n` +
        "start one with `taskcast start`, or say where it is with --url or TASKCAST_URL",
    );
  }
}

function baseUrl(text: string): string {
  const problem = baseUrlProblem(text);
  if (problem !== undefined) throw new SettingsError(`--url ${problem}`);
  return text.replace(/\/+$/, "");
}
