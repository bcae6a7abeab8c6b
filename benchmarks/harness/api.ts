/** Sends JSON; throws unless the response is a success. */
export async function send(method: string, url: string, body?: unknown): Promise<Response> {
  const response = await fetch(url, {
    method,
    headers: { "content-type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok) {
    throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
  }
  return response;
}

/** Posts JSON and discards the response. */
export async function post(url: string, body?: unknown): Promise<void> {
  await (await send("POST", url, body)).body?.cancel();
}

/** Creates a task. */
export async function createTask(url: string): Promise<string> {
  return (await (await send("POST", `${url}/tasks`, {})).json()).id;
}

/** Ends a task. */
export async function endTask(url: string, id: string): Promise<void> {
  await (await send("PATCH", `${url}/tasks/${id}/status`, { status: "completed" })).body?.cancel();
}

/** Deletes a task with all that it holds. */
export async function deleteTask(url: string, id: string): Promise<void> {
  await (await send("DELETE", `${url}/tasks/${id}`)).body?.cancel();
}

/** Creates a live task with `count` events. */
export async function fillTask(
  url: string,
  count: number,
  makeEvent: (i: number) => unknown,
): Promise<string> {
  const id = await createTask(url);
  for (let at = 0; at < count; at += 500) {
    const length = Math.min(500, count - at);
    await post(`${url}/tasks/${id}/events`, Array.from({ length }, (_, i) => makeEvent(at + i)));
  }
  return id;
}
