import type * as z from 'zod/mini';
import { nearest } from './nearest.ts';
import type { Finding } from './problem.ts';
import { fileSchema, instanceSchema } from './schema.ts';
import { type Path, showPath, showUnknownKey } from './show.ts';

type Issue = z.core.$ZodIssue;

/** What the schema found, one finding for each wrong place; the error text of every schema says what is accepted. */
export function toFindings(issues: readonly Issue[]): Finding[] {
  return issues.flatMap((issue): Finding[] => {
    const { path, message: accepted } = issue;
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => refuseKey(key, path, accepted));
    return [{ path, accepted, refused: refuse(issue) }];
  });
}

function refuse(issue: Issue): string {
  switch (issue.code) {
    case 'custom':
      return String(issue.params?.refused);
    case 'invalid_type':
      return TYPES[issue.expected] ?? 'is of the wrong type';
    case 'too_small':
      return issue.origin === 'array' ? 'is empty' : `is below ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'array' ? `has more than ${issue.maximum} entries` : `is above ${issue.maximum}`;
    case 'invalid_format':
      return 'does not have that form';
    default:
      return 'is not one of the choices';
  }
}

const TYPES: Readonly<Record<string, string>> = {
  object: 'is not a mapping',
  array: 'is not a list',
  string: 'is not text',
  boolean: 'is neither true nor false',
  number: 'is not a number',
  int: 'is not a whole number',
};

function refuseKey(key: string, path: Path, accepted: string): Finding {
  const meant = nearest(key, keysAt(fileSchema, path));
  const shown = showUnknownKey(key, path, meant !== undefined);
  const message = `unknown key \`${shown}\`${hint(key, path, meant)}`;
  return { path: [...path, key], accepted, message, instead: { path: showPath([...path, shown]), value: shown } };
}

function hint(key: string, path: Path, meant: string | undefined): string {
  const isOfInstance = Object.hasOwn(instanceSchema.shape, key);
  if (path.length === 1 && path[0] === 'defaults' && isOfInstance) return ': it belongs to each instance';
  return meant === undefined ? '' : `: did you mean \`${meant}\`?`;
}

/** The keys that the mapping at a path accepts; none where there is no mapping. */
function keysAt(schema: z.core.$ZodType, path: Path): readonly string[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  const [key, ...rest] = path;
  switch (def.type) {
    case 'optional':
    case 'prefault':
      return keysAt(def.innerType, path);
    case 'array':
      return keysAt(def.element, rest);
    case 'object': {
      const inner = key === undefined ? undefined : def.shape[String(key)];
      if (key === undefined) return Object.keys(def.shape);
      return inner === undefined ? [] : keysAt(inner, rest);
    }
    default:
      return [];
  }
}
