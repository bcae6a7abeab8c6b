/** DSNs that the SDKs accept. The SDKs log any other DSN to the console, including its key. */
const DSN = /^https?:\/\/\w+(:\w*)?@(\[[:.%\w]+\]|[\w.-]+)(:\d{1,5})?\/([\w.~-]+\/)*\d+$/;

/**
 * Checks that `dsn` has the form of a Sentry DSN.
 *
 * @throws {TypeError} If it has not. The message says what is wrong, and does not quote the DSN.
 */
export function assertDsn(dsn: unknown): asserts dsn is string {
  if (typeof dsn === "string" && DSN.test(dsn)) return;
  throw new TypeError(
    "Cannot start Sentry: the DSN must look like https://<key>@<host>/<project number>, but " +
      flaw(dsn),
  );
}

function flaw(dsn: unknown): string {
  if (typeof dsn !== "string" || dsn === "") return "it is missing";
  if (/\s/.test(dsn)) return "it contains white space";
  if (!/^https?:\/\//.test(dsn)) return "it does not begin with https:// or http://";
  if (!/^\w+:\/\/\w+(:\w*)?@/.test(dsn)) {
    return "it has no key of letters and digits before the @";
  }
  if (!/\/\d+$/.test(dsn)) return "it does not end with a project number";
  return "its host, port or path is malformed";
}
