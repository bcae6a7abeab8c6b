import { testCommand } from "./installed_command.ts";
import { openProject } from "./project.ts";
import { nodeOf } from "./runtimes.ts";

// Tests that know only the address of a server or the words of a command, with the installed command.

const project = await openProject();
const installed = `${project.folder}node_modules/taskcast/bin.js`;

const BLACK_BOX = [
  "auth/auth",
  "cli/cli",
  "cli/user_project",
  "clients/client",
  "clients/server_sdk",
  "http/bad_input",
  "http/connections",
  "http/http",
  "http/ndjson",
  "http/request_id",
  "http/state",
  "sse/fanout",
  "sse/global_stream",
  "sse/resume",
  "sse/stream_safety",
];

Deno.test("npm: the black-box tests pass on Node 20", async () => {
  await testCommand([await nodeOf(20), installed], BLACK_BOX);
});

Deno.test("npm: limits count by the address of the connection on Node 20", async () => {
  await testCommand([await nodeOf(20), installed], ["auth/token"], "the address of the connection");
});

Deno.test("npm: tasks in SQLite survive the death of their server on Node 22", async () => {
  await testCommand([await nodeOf(22), installed], ["stores/sqlite_process"]);
});
