// Loaded before a program on Node: limits to a second what Node's server limits to minutes, unless
// the program sets something else.
import http from "node:http";
import { syncBuiltinESMExports } from "node:module";

const { createServer } = http;
const SHORT = { headersTimeout: 900, requestTimeout: 1_000, connectionsCheckingInterval: 100 };

function createWithShortTimeouts(
  first?: http.ServerOptions | http.RequestListener,
  second?: http.RequestListener,
): http.Server {
  if (typeof first === "function") return createServer(SHORT, first);
  return createServer({ ...SHORT, ...first }, second);
}

http.createServer = createWithShortTimeouts as typeof createServer;
syncBuiltinESMExports();
