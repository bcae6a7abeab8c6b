/** DSNs that the SDKs accept. They write others to the console, including the key. */
const DSN = /^https?:\/\/\w+(:\w*)?@(\[[:.%\w]+\]|[\w.-]+)(:\d{1,5})?\/([\w.~-]+\/)*\d+$/;

/**
 * Checks that `dsn` has the form of a Sentry DSN.
 *
 * @throws {TypeError} If it has not. The message names the missing part and contains nothing of the
 * DSN.
 */
export function assertDsn(dsn: unknown): asserts dsn is string {
  if (typeof dsn === "string" && DSN.test(dsn)) return;
  throw new TypeError(
    "Cannot start Sentry: the DSN must look like https://<key>@<host>/<project number>, but " +
      flaw(dsn),
  );
}

function flaw(dsn: unknown): string {
  if (typeof dsn !== "string" || dsn === "") return "there is none";
  if (/\s/.test(dsn)) return "it contains white space";
  if (!/^https?:\/\//.test(dsn)) return "it does not begin with https:// or http://";
  if (!/^\w+:\/\/\w+(:\w*)?@/.test(dsn)) {
    return "there is no key, of letters and digits, before the @";
  }
  if (!/\/\d+$/.test(dsn)) return "it does not end with the number of a project";
  return "its host, port or path is malformed";
}
