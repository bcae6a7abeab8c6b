// The consumer of the user's deployment guide, as written there, after what a page would know.
import process from "node:process";
const userJwtToken = process.env.USER_JWT_TOKEN!;
const taskId = process.env.TASK_ID!;

import { TaskcastClient } from "@taskcast/client";

const client = new TaskcastClient({
  baseUrl: "http://taskcast-service:3721",
  token: userJwtToken,
});

await client.subscribe(taskId, {
  onEvent: (e) => console.log(e),
  onDone: (reason) => console.log("Done:", reason),
});
