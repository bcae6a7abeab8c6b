/** A secret that no output may contain. */
export const SECRET = "hush-hush-hush-hush-hush-hush-hush";

/**
 * Configurations in YAML that are wrong in themselves, with the expected errors; `env` is set in
 * the environment.
 */
export const WRONG: [yaml: string, errors: string[], env?: Record<string, string>][] = [
  ["logFormat: jsn\nauth: { mode: jtw }", [
    'logFormat: must be one of pretty, json, and is the text "jsn"; did you mean "json"?',
    'auth.mode: must be one of none, jwt, custom, and is the text "jtw"; did you mean "jwt"?',
  ]],
  ["prot: 1", ['prot: there is no such key; did you mean "port"?']],
  ["log_level: info", ['log_level: there is no such key; did you mean "logLevel"?']],
  [
    "auth: { jwt: { algoritm: RS256 } }",
    ['auth.jwt.algoritm: there is no such key; did you mean "algorithm"?'],
  ],
  [
    "cors: { zebra: 1 }",
    [
      "cors.zebra: there is no such key; known are origin, credentials, allowedHeaders, maxAgeSeconds",
    ],
  ],
  [
    "port: eighty\nlogLevel: loud\nsentry: { captureTaskFailures: 1 }",
    [
      'port: must be a whole number from 0 to 65535, and is the text "eighty"',
      'logLevel: must be one of debug, info, warn, error, and is the text "loud"',
      "sentry.captureTaskFailures: must be true or false, and is the number 1",
    ],
  ],
  ['port: "3721"', ['port: must be a whole number from 0 to 65535, and is the text "3721"']],
  ["port: 70000", ["port: must be a whole number from 0 to 65535, and is the number 70000"]],
  ["host:", ["host: must be a text, and is empty"]],
  ["limits: { maxBodyBytes: 0 }", [
    "limits.maxBodyBytes: must be a whole number, 1 or more, and is the number 0",
  ]],
  ["limits: { rateLimit: { requestsPerSecond: 0, bursts: 1 }, maxStreams: -1 }\ntrustProxy: true", [
    "trustProxy: must be a whole number from 0 to 10, and is true",
    "limits.rateLimit.requestsPerSecond: must be a whole number from 1 to 1000000, and is the " +
    "number 0",
    'limits.rateLimit.bursts: there is no such key; did you mean "burst"?',
    "limits.maxStreams: must be a whole number from 1 to 9999999, and is the number -1",
  ]],
  ["logFormat: xml\nauth: { jwt: { issuer: [], audience: [1], jwksMaxAgeMs: -1 } }", [
    'logFormat: must be one of pretty, json, and is the text "xml"',
    "auth.jwt.jwksMaxAgeMs: must be a whole number, 0 or more, and is the number -1",
    "auth.jwt.issuer: must be a text or a list of texts, and is an empty list",
    "auth.jwt.audience[0]: must be a text, and is the number 1",
  ]],
  ["- port", [
    "the configuration must be an object { port, host, allowHosts, listener, logLevel, logFormat, trustProxy, " +
    "ignoredParameters, auth, trustedServices, ticketSecret, allowShortSecrets, adapters, sentry, webhook, cleanup, cors, limits, engine, hooks }, " +
    "and is a list",
  ]],
  ["auth: { mode: jwt, jwt: { secret: 12345 } }", [
    "auth.jwt.secret: must be a text, and is a number",
  ]],
  ["trustedServices: { billing: swordfish }", [
    "trustedServices.billing: must be a text of at least 16 characters or an object { key, scope, " +
    "taskIds }, and is a text that does not fit",
  ]],
  [
    "trustedServices: { a: { key: short, scopes: [x] }, b: { key: sixteen characters, taskIds: all } }",
    [
      "trustedServices.a.key: must be a text of at least 16 characters, and is a text that does not fit",
      'trustedServices.a.scopes: there is no such key; did you mean "scope"?',
      'trustedServices.b.taskIds: must be "*" or a list of texts, and is the text "all"',
    ],
  ],
  ["adapters: { shortTerm: { provider: redis, ulr: redis://h } }", [
    'adapters.shortTerm.ulr: there is no such key; did you mean "url"?',
  ]],
  ["adapters: { shortTerm: { provider: rediss } }", [
    "adapters.shortTerm.provider: must be memory, sqlite, redis, postgres, deno-kv, or a module " +
    'such as "./my_store.ts" or "npm:my-store", and is the text "rediss"',
  ]],
  ["adapters: { longTerm: postgres }", [
    "adapters.longTerm: must be an object { provider, … }, or in TypeScript and JavaScript an " +
    'adapter, and is the text "postgres"',
  ]],
  ["adapters: { shortTerm: { provider: redis, url: 5 } }", [
    "adapters.shortTerm.url: must be a text, and is the number 5",
  ]],
  ["auth: { mode: custom, custom: check }", [
    "auth.custom: is code, so it needs a configuration in TypeScript or JavaScript",
  ]],
  ["hooks: {}", ["hooks: is code, so it needs a configuration in TypeScript or JavaScript"]],
  ["cleanup: { rules: [{ target: event }] }", [
    "cleanup.rules[0].trigger: must be an object { afterMs }, and is missing",
    'cleanup.rules[0].target: must be one of all, events, task, and is the text "event"; did you mean "events"?',
  ]],
  ["webhook: { defaultRetry: { retries: 99, backof: fixed } }", [
    "webhook.defaultRetry.retries: must be a whole number from 0 to 20, and is the number 99",
    'webhook.defaultRetry.backof: there is no such key; did you mean "backoff"?',
  ]],
];
