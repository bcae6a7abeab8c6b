import type { WebhookRetry } from "../protocol/webhook.ts";

/**
 * Milliseconds to wait after a failed attempt: between half of the nominal time and all of it, so
 * that many who failed together do not come back together.
 *
 * @param attempt The attempt that failed, counted from 1.
 * @param random 0 to 1.
 */
export function backoffMs(
  attempt: number,
  { backoff, initialDelayMs, maxDelayMs }: Required<WebhookRetry>,
  random: number,
): number {
  const factor = { exponential: 2 ** (attempt - 1), linear: attempt, fixed: 1 }[backoff];
  const nominalMs = Math.min(initialDelayMs * factor, maxDelayMs);
  return Math.ceil(nominalMs * (0.5 + random / 2));
}
