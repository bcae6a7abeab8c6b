import { z } from "zod";
import { wants } from "./annotations.ts";

/** A text that says something. */
export const text = (): z.ZodString => z.string().min(1);

/** A text that may be empty, as a variable without a value is. */
export const textOrNothing = (): z.ZodString => z.string();

/** A whole number. */
export const whole = (min: number, max: number = Number.MAX_SAFE_INTEGER): z.ZodNumber =>
  z.int().min(min).max(max);

/** A count or a time that cannot be nothing. */
export const positive = (): z.ZodNumber => whole(1);

/** An address of HTTP. */
export const httpUrl = (): z.ZodString =>
  wants(z.string().regex(/^https?:\/\/[^\s/]+\S*$/), "an address such as https://host/path");
