import type { IsOurs } from "@taskcast/client/http";
import { assertAdvances, HttpClient } from "@taskcast/client/http";
import type { WebhookStatus } from "@taskcast/core/protocol";
import { taskPath } from "@taskcast/core/protocol";

/** Asks a running server about webhooks. */
export class WebhookClient {
  readonly #http: HttpClient;

  /** @param options Where the server is. */
  constructor({ url, token }: { url: string; token?: string }) {
    this.#http = new HttpClient({ baseUrl: url, token });
  }

  /** The tasks with deliveries that were given up, the longest ago first. */
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

  /** The webhooks of a task. */
  async of(taskId: string): Promise<WebhookStatus[]> {
    const url = this.#http.url(pathOf(taskId));
    return await this.#http.json("GET", url, undefined, { isOurs: Array.isArray });
  }

  /** Has deliveries tried again that were given up. Returns how many. */
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
