import type { LoadRequest, RequestLoad, RequestLoadResult } from "./request_load.ts";

let has: Promise<boolean> | undefined;

/** Returns true if wrk is installed. */
export function hasWrk(): Promise<boolean> {
  return has ??= runsWrk();
}

async function runsWrk(): Promise<boolean> {
  try {
    await new Deno.Command("wrk", { args: ["-v"], stdout: "null", stderr: "null" }).output();
    return true;
  } catch {
    return false; // Deno throws at once if the program is missing.
  }
}

/** Sends requests by https://github.com/wg/wrk on one thread; the server has the rest. */
export async function loadByWrk(
  { url, requests, connections, seconds }: RequestLoad,
): Promise<RequestLoadResult> {
  const script = await Deno.makeTempFile({ suffix: ".lua" });
  try {
    await Deno.writeTextFile(script, scriptOf(requests));
    const duration = `${Math.max(1, Math.round(seconds))}s`; // wrk takes whole seconds only.
    const { stdout, stderr, success } = await new Deno.Command("wrk", {
      args: ["-t1", `-c${connections}`, `-d${duration}`, "-s", script, url],
    }).output();
    const text = new TextDecoder().decode(stdout);
    const line = /^RESULT (.*)$/m.exec(text)?.[1];
    if (!success || line === undefined) {
      throw new Error(`wrk failed: ${text}${new TextDecoder().decode(stderr)}`);
    }
    const { requests: count, durationUs, p50Us, p99Us, errors } = JSON.parse(line);
    return {
      requestsPerSecond: count / (durationUs / 1e6),
      p50Ms: p50Us / 1000,
      p99Ms: p99Us / 1000,
      errors,
      generator: "wrk",
    };
  } finally {
    await Deno.remove(script);
  }
}

/** Returns the script for wrk: prepared requests, and a line with the outcome. */
function scriptOf(requests: readonly LoadRequest[]): string {
  const formats = requests.map(({ method, path, body }) => {
    const json = body === undefined ? undefined : JSON.stringify(body);
    const args = json === undefined
      ? "nil, nil"
      : `{["content-type"] = "application/json"}, [==[${json}]==]`;
    return `  all[#all + 1] = wrk.format("${method}", "${path}", ${args})`;
  });
  return `local all, next = {}, 0
init = function()
${formats.join("\n")}
end
request = function()
  next = next % #all + 1
  return all[next]
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,"errors":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
`;
}
