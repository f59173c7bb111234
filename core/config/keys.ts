import * as z from 'zod/mini';
import { described } from './scalar.ts';

/** A key that has a default, which is written as in the file and goes through the same reading. */
export function byDefault<S extends z.core.$ZodType>(value: z.core.input<S>, schema: S, description: string) {
  return described(z.prefault(schema, value), description);
}

/** A key that may be absent; an empty one (`tls:` and nothing after it) is refused as a mistake. */
export function optional<S extends z.core.$ZodType>(schema: S, description: string) {
  return z.exactOptional(described(schema, description));
}
