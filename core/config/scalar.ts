import * as z from 'zod/mini';

/** The value of one scalar of the file, or why it is refused, as the end of a sentence ("is not a size"). */
export type Reading<T> = { readonly value: T } | { readonly refused: string };

interface ScalarKind<T> {
  /** What is accepted, for people: "a size with a unit, like 128MiB". */
  readonly accepted: string;
  /** The same for editors, which cannot run `read`. */
  readonly json: z.core.JSONSchema.BaseSchema;
  readonly read: (raw: unknown) => Reading<T>;
}

/** The schema of a scalar with a notation of its own, such as a size. Its reading never throws. */
export function scalar<T>({ accepted, json, read }: ScalarKind<T>) {
  const schema = z.pipe(
    z.unknown(),
    z.transform((raw: unknown, context): T => {
      const reading = read(raw);
      if ('value' in reading) return reading.value;
      context.issues.push({
        code: 'custom',
        input: raw,
        message: accepted,
        params: { refused: reading.refused },
      });
      return z.NEVER;
    }),
  );
  z.globalRegistry.add(schema, { ...json });
  return schema;
}

/** Text that matches `pattern` as a whole. */
export function text(pattern: string, accepted: string) {
  return z.string({ error: accepted }).check(z.regex(new RegExp(pattern), { error: accepted }));
}

/** Adds the description of a key, which editors show. */
export function described<S extends z.core.$ZodType>(schema: S, description: string): S {
  z.globalRegistry.add(schema, { ...z.globalRegistry.get(schema), description });
  return schema;
}

/** A mapping of exactly these keys: a misspelt one must not silently leave a default in force. */
export function mapping<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.strictObject(shape, { error: `a mapping with the keys ${Object.keys(shape).join(', ')}` });
}

/** A key that has a default, which is written as in the file and goes through the same reading. */
export function byDefault<S extends z.core.$ZodType>(value: z.core.input<S>, schema: S, description: string) {
  return described(z.prefault(schema, value), description);
}

/** A key that may be absent; an empty one (`tls:` and nothing after it) is refused as a mistake. */
export function optional<S extends z.core.$ZodType>(schema: S, description: string) {
  return z.exactOptional(described(schema, description));
}
