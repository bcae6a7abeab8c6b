import process from "node:process";
import { setTimeout as wait } from "node:timers/promises";

const [base, taskId] = process.argv.slice(2);
if (taskId === undefined) {
  console.error("usage: node follow.mjs http://localhost:3721 ID");
  process.exit(2);
}
const url = `${base}/tasks/${taskId}/events`;

/** Yields the frames of a stream as `{ event, id, data }`. Taskcast's lines end with "\n". */
async function* framesOf(body) {
  let rest = "";
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + text).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const fields = block.split("\n").map((line) => /^(.*?): ?(.*)$/.exec(line).slice(1));
      yield Object.fromEntries(fields);
    }
  }
}

let cursor; // The id of the newest frame, sent when reconnecting.
for (;;) {
  try {
    const headers = cursor === undefined ? {} : { "last-event-id": cursor };
    const response = await fetch(url, { headers });
    if (response.status === 204) break; // The end was already read.
    if (response.status < 500 && !response.ok) {
      console.error(await response.text()); // The refusal is final.
      process.exit(1);
    }
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    for await (const { event, id, data } of framesOf(response.body)) {
      if (event === "taskcast.event") {
        const { seriesSnapshot, data: { delta } } = JSON.parse(data);
        // A snapshot has the whole text and replaces the output. Any other event is appended.
        if (delta !== undefined) process.stdout.write(seriesSnapshot ? `\r${delta}` : delta);
      }
      if (id !== undefined) cursor = id;
      if (event === "taskcast.done") {
        console.log(`\n${JSON.parse(data).reason}`);
        process.exit(0);
      }
    }
  } catch (error) {
    console.error(`the connection is lost: ${error.message}`);
  }
  await wait(1_000);
}
