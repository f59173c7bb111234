/** Structured logs, one line for each outcome; Powertools' Logger is one. Never a secret: no value from `env:` reaches it. */
export interface Log {
  info(message: string, ...fields: Readonly<Record<string, unknown>>[]): void;
  warn(message: string, ...fields: Readonly<Record<string, unknown>>[]): void;
  error(message: string, ...fields: Readonly<Record<string, unknown>>[]): void;
}
