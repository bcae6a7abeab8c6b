export type { AuthenticatorOptions } from "./authenticator.ts";
export { createAuthenticator } from "./authenticator.ts";
export { authorize, hasScope, maySeeTask, meetsTaskRules } from "./authorize.ts";
export type {
  AuthContext,
  AuthFunction,
  AuthOptions,
  JwtAlgorithm,
  JwtClaims,
  JwtOptions,
  TrustedService,
} from "./options.ts";
export { JWT_ALGORITHMS } from "./options.ts";
export type { TrustedServices } from "./service_keys.ts";
export { SERVICE_KEY_HEADER } from "./service_keys.ts";
export type { Tickets } from "./tickets.ts";
export { createTickets, ticketSecretOf } from "./tickets.ts";
