import { leftOut } from "../../testing/left_out.ts";
import type { CommandWords } from "../../testing/servers/cli.ts";
import { testHosts } from "./hosts.ts";
import { testCommand } from "./installed_command.ts";
import { openProject } from "./project.ts";
import { bun, nodeOf, workerd } from "./runtimes.ts";

const project = await openProject();
const installed = `${project.folder}node_modules/taskcast/bin.js`;

const bunProgram = await bun();
if (bunProgram === undefined) leftOut("the tests on Bun", "a machine on which its package runs");

const workerdProgram = await workerd();
if (workerdProgram === undefined) {
  leftOut("the test on workerd", "a machine on which its package runs");
}

testHosts(project, { node: await nodeOf(24), bun: bunProgram, workerd: workerdProgram });

Deno.test({
  name: "npm: streams, publishing and resumption work on Bun",
  ignore: bunProgram === undefined,
}, async () => {
  const command: CommandWords = [bunProgram!, installed];
  await testCommand(command, [
    "http/ndjson",
    "http/state",
    "sse/resume",
    "sse/stream_safety",
    "cli/user_project",
  ]);
  // Its sockets do not report progress, so half a request on a reused connection counts as idle.
  await testCommand(
    command,
    ["http/connections"],
    "/half a request do|descriptors|stops|new connection|its part/",
  );
});
