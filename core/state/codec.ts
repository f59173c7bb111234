import type * as z from 'zod/mini';
import { StateUnavailable } from '../ports/state-store.ts';

/** A stored document, as this version of Offpeak writes it. @throws {StateUnavailable} for any other: never a guess. */
export function understood<T>(schema: z.ZodMiniType<T>, key: string, value: unknown, remedy = ''): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new StateUnavailable(
    `the document ${key} cannot be read: ${issue?.path.join('.') || 'it'} is not as this version writes it${remedy}`,
  );
}
