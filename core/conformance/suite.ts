/** Adapter and test runner of a conformance suite. */
export interface ConformanceOptions<Adapter> {
  /** Prefix of every test's name. */
  name: string;
  /** An adapter that sees nothing of any other; called once per test. */
  open: () => Adapter | Promise<Adapter>;
  /** `Deno.test`, or `test` of `node:test`. */
  test: (name: string, run: () => Promise<void>) => void;
}

/** One promise of a contract, with the test of it. */
export interface Check<Adapter> {
  title: string;
  run: (adapter: Adapter) => Promise<void>;
}

/** Registers a test for each check, each with an adapter of its own. */
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
