import type * as z from 'zod/mini';
import { keysAt, levelOf } from './known-keys.ts';
import { nearest } from './nearest.ts';
import type { Finding } from './problem.ts';
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

/** YAML's merge key; this file has `defaults` for what instances share. */
const MERGE = '<<';

function refuseKey(key: string, path: Path, accepted: string): Finding {
  const at = [...path, key];
  if (key === MERGE) return { path: at, accepted, message: MERGE_REFUSED, instead: instead(path, MERGE) };
  const level = levelOf(key, path);
  const meant = level === undefined ? nearest(key, keysAt(path)) : undefined;
  const shown = showUnknownKey(key, path, level !== undefined || meant !== undefined);
  if (shown === undefined) return { path: at, accepted, message: NOT_SHOWN, instead: instead(path) };
  return {
    path: at,
    accepted,
    message: `unknown key \`${shown}\`${hint(level, meant)}`,
    instead: instead(path, shown),
  };
}

const MERGE_REFUSED = 'merge keys (`<<`) are not supported: what instances share belongs under `defaults`';
const NOT_SHOWN = 'has an unknown key, which is not shown because it may hold a secret';

function instead(path: Path, ...shown: readonly string[]) {
  return { path: showPath([...path, ...shown]), value: shown[0] ?? '' };
}

function hint(level: string | undefined, meant: string | undefined): string {
  if (level !== undefined) return `: it belongs to ${level}`;
  return meant === undefined ? '' : `: did you mean \`${meant}\`?`;
}
