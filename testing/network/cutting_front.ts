/** A front that breaks off answers, with the requests that it received. */
export interface CuttingFront {
  url: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Stands in front of a server. Of the first answer to each address whose query has `cut=N`, it
 * passes on N bytes of the body and closes the connection. It passes on later answers to the same
 * `client` in full.
 *
 * @param rewrite Changes the text of each body before it is cut.
 */
export function cuttingFront(
  targetUrl: string,
  rewrite: (text: string) => string = (text) => text,
): CuttingFront {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const seen = new Set<string>();

  async function serve(connection: Deno.Conn): Promise<void> {
    try {
      const { path, headers } = await readRequest(connection);
      const url = new URL(path, targetUrl);
      const client = `${url.searchParams.get("client")} ${url.searchParams.get("cut")}`;
      const isFirst = !seen.has(client);
      seen.add(client);
      const cut = isFirst ? Number(url.searchParams.get("cut") ?? Infinity) : Infinity;
      for (const name of ["client", "cut"]) url.searchParams.delete(name);
      const answer = await fetch(url, { headers });
      const body = new TextEncoder().encode(rewrite(await answer.text()));
      const length = answer.status === 204 ? "" : `content-length: ${body.length}\r\n`;
      const head = `HTTP/1.1 ${answer.status} Status\r\nconnection: close\r\n${length}` +
        `content-type: ${answer.headers.get("content-type")}\r\n\r\n`;
      await write(connection, new TextEncoder().encode(head));
      await write(connection, body.subarray(0, cut));
    } catch {
      // The client has disconnected.
    } finally {
      connection.close();
    }
  }

  const open = new Set<Promise<void>>();
  const accepting = (async () => {
    for await (const connection of listener) {
      const serving = serve(connection).finally(() => open.delete(serving));
      open.add(serving);
    }
  })();
  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
      await Promise.all(open);
    },
  };
}

async function readRequest(connection: Deno.Conn): Promise<{ path: string; headers: Headers }> {
  let text = "";
  const buffer = new Uint8Array(8 * 1024);
  while (!text.includes("\r\n\r\n")) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error("the request was cut off");
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  const [first, ...lines] = text.split("\r\n\r\n")[0]!.split("\r\n");
  const headers = new Headers();
  for (const line of lines) {
    const [, name, value] = /^([^:]+): *(.*)$/.exec(line)!;
    if (!/^(host|connection|accept-encoding)$/i.test(name!)) headers.set(name!, value!);
  }
  return { path: first!.split(" ")[1]!, headers };
}

async function write(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}
