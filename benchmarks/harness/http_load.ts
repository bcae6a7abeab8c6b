import { loadByFetch } from "./fetch_load.ts";
import type { RequestLoad, RequestLoadResult } from "./request_load.ts";
import { hasWrk, loadByWrk } from "./wrk.ts";

/**
 * Sends requests as fast as they are answered. Uses wrk, which leaves most of the machine to the
 * server, and `fetch` where wrk is not installed or the load is shorter than one second, the least
 * that wrk takes.
 */
export async function loadRequests(load: RequestLoad): Promise<RequestLoadResult> {
  return load.seconds >= 1 && await hasWrk() ? await loadByWrk(load) : await loadByFetch(load);
}
