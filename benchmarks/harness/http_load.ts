import type { RequestLoad, RequestLoadResult } from "./request_load.ts";
import { loadByAutocannon } from "./autocannon.ts";
import { hasWrk, loadByWrk } from "./wrk.ts";

/**
 * Sends requests as fast as they are answered. By wrk where it is installed, which leaves more of
 * the machine to the server, else by autocannon.
 */
export async function loadRequests(load: RequestLoad): Promise<RequestLoadResult> {
  return await hasWrk() ? await loadByWrk(load) : await loadByAutocannon(load);
}
