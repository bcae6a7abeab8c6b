/** Numbers of open streams and of their tasks. */
export interface Reading {
  streams: number;
  tasks: number;
}

/** Reads these numbers from a server's metrics. */
export async function reading(
  url: string,
  headers: Record<string, string> = {},
): Promise<Reading> {
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  const gauge = (name: string) => {
    const [, value] = new RegExp(`^taskcast_${name} (\\d+)$`, "m").exec(text) ?? [];
    if (value === undefined) throw new Error(`no ${name} in ${text}`);
    return Number(value);
  };
  return { streams: gauge("streams"), tasks: gauge("followed_tasks") };
}
