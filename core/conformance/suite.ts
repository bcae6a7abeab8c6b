/** An adapter to check, and the test runner. */
export interface ConformanceOptions<Adapter> {
  /** Prefix of every test's name. */
  name: string;
  /** Opens an adapter that shares no data with any other. Called once per test. */
  open: () => Adapter | Promise<Adapter>;
  /** `Deno.test`, or `test` of `node:test`. */
  test: (name: string, run: () => Promise<void>) => void;
}

/** One promise of a contract, with its test. */
export interface Check<Adapter> {
  title: string;
  run: (adapter: Adapter) => Promise<void>;
}

/** Registers one test per check, each with a new adapter. */
export function register<Adapter extends { close?(): unknown }>(
  checks: readonly Check<Adapter>[],
  { name, open, test }: ConformanceOptions<Adapter>,
): void {
  for (const { title, run } of checks) {
    test(`${name}: ${title}`, async () => {
      const adapter = await open();
      try {
        await run(adapter);
      } finally {
        await adapter.close?.();
      }
    });
  }
}
