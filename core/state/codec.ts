import * as z from 'zod/mini';
import { $ZodObject, $ZodOptional } from 'zod/v4/core';
import { StateUnavailable, type Stored } from '../ports/state-store.ts';

/**
 * A kind of stored document. Its objects are loose: fields of a newer version are kept when this one rewrites the document.
 * `schema` says which version of its schema a document was written under; those of version 0.1 have none.
 */
export interface DocumentKind<T extends object> {
  readonly schema: number;
  readonly shape: z.ZodMiniType<T>;
  /** A document of an earlier version, in today's form. */
  readonly upgrade?: (document: Fields, key: string) => Fields;
}

type Fields = Readonly<Record<string, unknown>>;

/** The fields of these names, all of one form. */
export function each<K extends string, S extends z.core.$ZodType>(form: S, ...names: readonly K[]): Record<K, S> {
  return Object.fromEntries(names.map((name) => [name, form])) as Record<K, S>;
}

/** One of the texts of a union. Any text is taken: a newer version may have more of them. */
export function oneOf<T extends string>() {
  return z.custom<T>((value) => typeof value === 'string');
}

/** Whether it was written under a schema that this version does not know. Such a document is not overwritten. */
export function isNewer({ schema: known }: Pick<DocumentKind<object>, 'schema'>, value: unknown): boolean {
  const schema = isFields(value) ? (value.schema ?? known) : known;
  return typeof schema !== 'number' || schema > known;
}

/** A stored document, as this version of Offpeak writes it. @throws {StateUnavailable} for any other: never a guess. */
export function decode<T extends object>(kind: DocumentKind<T>, key: string, value: unknown, remedy = ''): T {
  if (isNewer(kind, value))
    throw new StateUnavailable(`the document ${key} is of a newer version of Offpeak: update this one${remedy}`);
  const result = kind.shape.safeParse(upgraded(kind, key, value));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new StateUnavailable(
    `the document ${key} cannot be read: ${issue?.path.join('.') || 'it'} is not as this version writes it${remedy}`,
  );
}

/** What `read` makes of each document. One that cannot be read must not block the others: `unreadable` is called for it. */
export function readEach<T>(
  documents: Iterable<readonly [key: string, stored: Stored]>,
  read: (key: string, stored: Stored) => T,
  unreadable: (key: string, why: string) => void = () => {},
): readonly T[] {
  return [...documents].flatMap(([key, stored]) => {
    try {
      return [read(key, stored)];
    } catch (error) {
      if (!(error instanceof StateUnavailable)) throw error;
      unreadable(key, error.message);
      return [];
    }
  });
}

/** A document in today's form, without its schema, which only the store holds. Any other value stays as it is. */
export function upgraded({ upgrade }: DocumentKind<object>, key: string, value: unknown): unknown {
  if (!isFields(value)) return value;
  const { schema: _, ...document } = value;
  return upgrade ? upgrade(document, key) : document;
}

/** `after` as it is stored: with its schema, and with the fields of `before` that this version does not know. */
export function encode<T extends object>({ schema, shape }: DocumentKind<T>, after: T, before?: T): T {
  return { ...withUnknown(shape, after, before), schema };
}

function withUnknown<T>(shape: z.core.$ZodType, after: T, before: unknown): T {
  const known = fieldsOf(shape);
  if (!known || !isFields(before) || !isFields(after)) return after;
  const unknown = Object.entries(before).filter(([name]) => !Object.hasOwn(known, name));
  const inner = Object.entries(known).flatMap(([name, field]) =>
    isFields(after[name]) ? [[name, withUnknown(field, after[name], before[name])]] : [],
  );
  return { ...Object.fromEntries(unknown), ...after, ...Object.fromEntries(inner) };
}

/** Of a record with any keys, all are known. (`z.core` as a value would bring all of zod into the start, 400 KB.) */
function fieldsOf(shape: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> | undefined {
  if (shape instanceof $ZodOptional) return fieldsOf(shape._zod.def.innerType);
  return shape instanceof $ZodObject ? shape._zod.def.shape : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
