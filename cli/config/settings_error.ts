/** A setting that is wrong; the message says which and why. */
export class SettingsError extends Error {}
