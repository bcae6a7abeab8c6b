/** Returns the answer to `GET /health` with a given `Host`, which `fetch` cannot send. */
export async function rawGet(
  port: number,
  host: string,
  { hostname = "127.0.0.1", headers = {} }: {
    hostname?: string;
    headers?: Record<string, string>;
  } = {},
): Promise<string> {
  using connection = await Deno.connect({ hostname, port });
  const all = Object.entries({ host, connection: "close", ...headers })
    .map(([name, value]) => `${name}: ${value}\r\n`).join("");
  await connection.write(new TextEncoder().encode(`GET /health HTTP/1.1\r\n${all}\r\n`));
  return await new Response(connection.readable).text();
}
