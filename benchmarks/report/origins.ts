import type { CpuProfile } from "../harness/cpu_profile.ts";

type CallFrame = CpuProfile["nodes"][number]["callFrame"];

/** Whose code there is in a profile, and the colour that each is drawn in. */
export interface Origins<Origin extends string = string> {
  legend: Readonly<Record<Origin, readonly [name: string, colour: string]>>;
  of(frame: CallFrame): Origin;
}

const ORANGE = "#f2b06b";
const GREEN = "#a8d3a0";
const BLUE = "#9dc3e6";
const GREY = "#c9c9c9";

/** Of a process of Deno. */
export const DENO: Origins<"ours" | "packages" | "runtime" | "machine"> = {
  legend: {
    ours: ["Taskcast", ORANGE],
    packages: ["packages", GREEN],
    runtime: ["the runtime", BLUE],
    machine: ["garbage collector, compiler, native code", GREY],
  },
  of({ url }) {
    if (url === "") return "machine";
    if (/^(ext|node|deno):/.test(url)) return "runtime";
    return url.includes("/node_modules/") || url.includes("/npm/") ? "packages" : "ours";
  },
};

/** Of redis-server, where the place of a function is the program, library or kernel that it is of. */
export const REDIS: Origins<"lua" | "redis" | "libraries" | "kernel"> = {
  legend: {
    lua: ["Lua", ORANGE],
    redis: ["Redis", GREEN],
    libraries: ["memory, C library", BLUE],
    kernel: ["the kernel", GREY],
  },
  of({ functionName, url }) {
    if (url.startsWith("[kernel")) return "kernel";
    if (!/redis|valkey/.test(url)) return "libraries";
    return /^(luaL?_|Lua$)/.test(functionName) ? "lua" : "redis";
  },
};
