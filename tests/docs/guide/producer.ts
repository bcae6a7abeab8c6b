// The producer of the user's deployment guide, as written there.
import { TaskcastServerClient } from "@taskcast/server-sdk";
import process from "node:process";

const taskcast = new TaskcastServerClient({
  baseUrl: "http://taskcast-service:3721",
  token: process.env.TASKCAST_TOKEN,
});

// 创建任务
const task = await taskcast.createTask({
  type: "llm.chat",
  params: { prompt: "Hello" },
});

// 发布事件
await taskcast.publishEvent(task.id, {
  type: "llm.delta",
  level: "info",
  data: { text: "Hello!" },
});

// 完成任务
await taskcast.transitionTask(task.id, "completed", {
  result: { output: "Hello!" },
});
