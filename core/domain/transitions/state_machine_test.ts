import assert from "node:assert/strict";
import { TASK_STATUSES, TERMINAL_STATUSES } from "../../protocol/status.ts";
import { canTransition, NEXT_STATUSES } from "./state_machine.ts";

// The table of the wire contract, written out once more.
const CONTRACT = {
  pending: "assigned running paused completed failed timeout cancelled",
  assigned: "running pending paused completed failed timeout cancelled",
  running: "paused blocked completed failed timeout cancelled",
  paused: "running assigned blocked failed timeout cancelled",
  blocked: "running assigned paused failed timeout cancelled",
  completed: "",
  failed: "",
  timeout: "",
  cancelled: "",
};

Deno.test("canTransition() allows what the contract lists, and nothing else", () => {
  for (const from of TASK_STATUSES) {
    for (const to of TASK_STATUSES) {
      assert.equal(
        canTransition(from, to),
        CONTRACT[from].split(" ").includes(to),
        `${from}→${to}`,
      );
    }
  }
});

Deno.test("NEXT_STATUSES lets nothing follow an end", () => {
  for (const status of TERMINAL_STATUSES) assert.deepEqual(NEXT_STATUSES[status], []);
});
