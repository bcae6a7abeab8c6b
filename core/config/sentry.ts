/** What is reported to Sentry. Without a DSN nothing is. */
export interface SentryConfig {
  /** `https://<key>@<host>/<project>`. @default what `SENTRY_DSN` says */
  dsn?: string | undefined;
  /** E.g. `staging`. @default what the SDK takes, usually `production` */
  environment?: string | undefined;
  /** The version that runs. @default what the SDK takes, usually none */
  release?: string | undefined;
  /** Tasks that became `failed`. @default {true} */
  captureTaskFailures?: boolean;
  /** Tasks that became `timeout`. @default {true} */
  captureTaskTimeouts?: boolean;
  /** Errors that no caller hears of. @default {true} */
  captureUnhandledErrors?: boolean;
  /** Adds what users put into tasks to reports of them. @default {false} */
  includePayloads?: boolean;
}
