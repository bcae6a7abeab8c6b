import type { WebhookRetry } from "../protocol/webhook.ts";

/**
 * Returns the delay in milliseconds after a failed attempt: between half and all of the nominal delay,
 * so that attempts that failed together are not retried together.
 *
 * @param attempt Number of the failed attempt, starting at 1.
 * @param random Random number from 0 to 1.
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
