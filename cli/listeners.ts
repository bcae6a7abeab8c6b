/** The HTTP servers that can be listened with. */
export const LISTENERS = ["node", "deno"] as const;

/** A server of HTTP: `node:http`, which Deno has, too, or `Deno.serve`. */
export type Listener = (typeof LISTENERS)[number];
