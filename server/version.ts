/** The version of this package. A test compares it with `deno.json`. */
export const VERSION = "0.1.0";

/** The version of the HTTP API. It changes when existing clients would no longer work. */
export const API_VERSION = "1";
