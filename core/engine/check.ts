import type { EngineContext } from "./context.ts";

/** Whether a dependency can be used. */
export interface DependencyState {
  /** It answers. */
  ok: boolean;
  /** Why not. Names no address and no credentials. */
  error?: string;
  /** Nothing works without it. */
  required: boolean;
  /** Milliseconds by which the archive is behind. */
  lagMs?: number;
}

/** Milliseconds after which a dependency that does not answer is taken to be away. */
const CHECK_MS = 5_000;

/** Asks each dependency whether it can be used. */
export async function checkDependencies(
  context: EngineContext,
  lagMs?: number,
): Promise<Record<string, DependencyState>> {
  const { broadcast, store, archive, clock } = context;
  const stateOf = async (name: string, dependency: { check(): Promise<void> }) => {
    let timer: unknown;
    const late = new Promise<never>((_, reject) => {
      timer = clock.setTimeout(() => reject(new Error("no answer")), CHECK_MS);
    });
    try {
      await Promise.race([dependency.check(), late]);
      return { ok: true };
    } catch (error) {
      context.report(error, { operation: `check ${name}` });
      return { ok: false, error: "cannot be reached" };
    } finally {
      clock.clearTimeout(timer);
    }
  };
  const [broadcastState, shortTerm, longTerm] = await Promise.all([
    stateOf("broadcast", broadcast),
    stateOf("shortTermStore", store),
    archive && stateOf("longTermStore", archive),
  ]);
  return {
    // Without wake-ups readers poll, and without the archive what is hot still works.
    broadcast: { ...broadcastState, required: false },
    shortTermStore: { ...shortTerm, required: true },
    ...(longTerm && { longTermStore: { ...longTerm, required: false, lagMs } }),
  };
}
