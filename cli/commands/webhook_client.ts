import type { IsOurs } from "@taskcast/client/http";
import { assertAdvances, HttpClient } from "@taskcast/client/http";
import type { WebhookStatus } from "@taskcast/core/protocol";
import { taskPath } from "@taskcast/core/protocol";

/** The address of a server, and a token that opens it. */
export interface ServerAddress {
  url: string;
  token?: string;
}

/** Client for the webhook routes of a running server. */
export class WebhookClient {
  readonly #http: HttpClient;

  constructor({ url, token }: ServerAddress) {
    this.#http = new HttpClient({ baseUrl: url, token });
  }

  /** Yields the ids of tasks with failed deliveries, oldest first. */
  async *undelivered(): AsyncGenerator<string, void> {
    let cursor: string | undefined;
    do {
      const url = this.#http.url("/webhooks/undelivered", { cursor });
      const page = await this.#http.json<{ tasks: { taskId: string }[]; nextCursor?: string }>(
        "GET",
        url,
        undefined,
        { isOurs: ({ tasks }) => Array.isArray(tasks) },
      );
      for (const { taskId } of page.tasks) yield taskId;
      assertAdvances(cursor, page.nextCursor);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  }

  /** Returns the webhooks of a task. */
  async of(taskId: string): Promise<WebhookStatus[]> {
    const url = this.#http.url(pathOf(taskId));
    return await this.#http.json("GET", url, undefined, { isOurs: Array.isArray });
  }

  /** Retries the failed deliveries of a webhook. Returns how many. */
  async retry(taskId: string, hook: string): Promise<number> {
    const url = this.#http.url(`${pathOf(taskId)}/retry`);
    const isOurs: IsOurs = ({ retrying }) => Number.isInteger(retrying);
    const answer = await this.#http.json<{ retrying: number }>("POST", url, { hook }, { isOurs });
    return answer.retrying;
  }
}

function pathOf(taskId: string): string {
  return `${taskPath(taskId)}/webhooks`;
}
