/** The HTTP servers that can be listened with, the runtime's own first. */
export const LISTENERS = ["deno", "node"] as const;

/** A server of HTTP: `Deno.serve`, or `node:http`, which Deno has, too. */
export type Listener = (typeof LISTENERS)[number];
