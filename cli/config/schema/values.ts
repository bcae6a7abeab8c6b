import { z } from "zod";
import { expecting } from "./describe.ts";

/** The highest port. */
export const MAX_PORT = 65_535;

/** The highest rate, in requests a second and in requests at once. */
export const MAX_RATE = 1_000_000;

/** The highest bound on streams and connections. */
export const MAX_STREAMS = 9_999_999;

/** The largest number of proxies that can be trusted. */
export const MAX_HOPS = 10;

/** The longest period in milliseconds: the range of a Date. */
export const MAX_PERIOD_MS = 8.64e15;

/** A text that is not empty. */
export const text = (): z.ZodString => z.string().min(1);

/** A text that may be empty, as a variable without a value is. */
export const textOrNothing = (): z.ZodString => z.string();

/** A list of texts, at least one. */
export const texts = (): z.ZodArray<z.ZodString> => z.array(text()).min(1);

/** A whole number. */
export const whole = (min: number, max: number = Number.MAX_SAFE_INTEGER): z.ZodNumber =>
  z.int().min(min).max(max);

/** A count, size or time that cannot be zero. */
export const positive = (): z.ZodNumber => whole(1);

/** Milliseconds that one timer can wait. */
export const timer = (): z.ZodNumber => whole(1, 2 ** 31 - 1);

/** An HTTP address. */
export const httpUrl = (): z.ZodString =>
  expecting(z.string().regex(/^https?:\/\/[^\s/]+\S*$/), "an address such as https://host/path");
