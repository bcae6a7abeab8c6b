import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";

const base = process.argv[2] ?? "http://localhost:3721";

/** Sends a request with JSON and returns the answer. */
async function call(method, path, body) {
  return await answerOf(
    await fetch(base + path, {
      method,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    }),
  );
}

async function answerOf(response) {
  const answer = await response.json();
  if (response.ok) return answer;
  throw Object.assign(new Error(answer.error.message), { code: answer.error.code });
}

/** Does the work, and yields a line of JSON for each event. */
async function* lines() {
  for (let number = 1; number <= 5; number++) {
    const event = {
      type: "count",
      data: { delta: `${number} ` },
      seriesId: "text",
      seriesMode: "accumulate",
    };
    yield JSON.stringify(event) + "\n";
    await wait(200);
  }
}

const { id } = await call("POST", "/tasks", { type: "demo", ttl: 600 });
console.log(id);
try {
  await answerOf(
    await fetch(`${base}/tasks/${id}/events`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: ReadableStream.from(lines()).pipeThrough(new TextEncoderStream()),
      duplex: "half", // Required for a body that is sent while it is produced.
    }),
  );
  await call("PATCH", `/tasks/${id}/status`, { status: "completed" });
} catch (error) {
  // The task was cancelled or its ttl is over. The server answers at once, and the work ends.
  if (error.code === "TASK_TERMINAL") process.exit(0);
  await call("PATCH", `/tasks/${id}/status`, {
    status: "failed",
    error: { message: error.message },
  });
  throw error;
}
