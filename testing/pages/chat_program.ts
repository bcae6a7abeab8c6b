// A chat on a SQLite file, as a process that can be killed. Its arguments are the file, the ttl of
// answers in seconds, and whether the answer pauses midway. It prints its address.
import { TaskEngine } from "@taskcast/core";
import { createSqliteAdapters } from "@taskcast/sqlite";
import { chatOf, startChatApp } from "./chat_app.ts";
import { finish, Gate, scriptedModel, textParts } from "./scripted_model.ts";

const [path, ttl, stops] = Deno.args as [string, string, "stops" | "goes on"];
const { broadcast, shortTerm } = createSqliteAdapters({ path });
const engine = new TaskEngine({ broadcast, shortTermStore: shortTerm });
const model = scriptedModel(async function* (signal) {
  // Pieces of one UTF-16 unit split characters.
  const [start, ...parts] = textParts("Half 😀 of it", 1);
  yield start!;
  yield* parts.slice(0, 7);
  if (stops === "stops") await new Gate().pass(signal);
  yield* parts.slice(7);
  yield finish();
});
const { api } = startChatApp({ chat: chatOf(engine, { ttl: Number(ttl) }), model });
console.log(api);
