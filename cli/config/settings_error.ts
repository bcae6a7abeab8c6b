/** An invalid setting; the message says which and why, one line for each. */
export class SettingsError extends Error {}
