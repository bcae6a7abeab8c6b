import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";

const base = process.argv[2] ?? "http://localhost:3721";

/** A request with JSON; its answer. */
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

/** The work, one line of JSON for each event. */
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
      duplex: "half", // Says that the body is sent while it is made.
    }),
  );
  await call("PATCH", `/tasks/${id}/status`, { status: "completed" });
} catch (error) {
  // Somebody cancelled it, or its ttl ran out: the answer came at once, and the work is over.
  if (error.code === "TASK_TERMINAL") process.exit(0);
  await call("PATCH", `/tasks/${id}/status`, {
    status: "failed",
    error: { message: error.message },
  });
  throw error;
}
