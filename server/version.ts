/** The version of this package; a test holds it against `deno.json`. */
export const VERSION = "0.1.0";

/** The version of the HTTP API: another one when clients of this one would no longer work. */
export const API_VERSION = "1";
