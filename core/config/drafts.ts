import * as z from 'zod/mini';
import { valueAt } from './problem.ts';
import { instanceId, instanceSchema } from './schema.ts';
import type { Path } from './show.ts';

type Mapping = Readonly<Record<string, unknown>>;

const draftSchema = z.extend(instanceSchema, { id: z.exactOptional(instanceId) });

/** One instance over its defaults, with everything that was well-formed: the rules also judge a file that is partly wrong. */
export interface Draft {
  /** Position in the file's list, from 0. */
  readonly index: number;
  /** The values as written, defaults below the instance's own, ready for the schema. */
  readonly written: Mapping;
  /** The values read, built-in defaults included. */
  readonly settings: Readonly<z.output<typeof draftSchema>>;
  /** Keys with a malformed value: `settings` has a default or nothing there, which must not be judged. */
  readonly malformed: ReadonlySet<string>;
  /** Where a key of this instance was written: `instances[2].windows` or `defaults.windows`. */
  readonly placeOf: (key: string) => Path;
}

/** The instances of a file that are mappings at all, without the parts in which the schema found `issues`. */
export function draftInstances(file: unknown, issues: readonly z.core.$ZodIssue[]): Draft[] {
  const listed = valueAt(file, ['instances']);
  if (!Array.isArray(listed)) return [];
  const defaults = valueAt(file, ['defaults']);
  const malformed = collectMalformed(issues);
  const malformedDefaults = malformed.get('defaults') ?? new Set();
  const shared = isMapping(defaults) ? omit(defaults, malformedDefaults) : {};
  return listed.flatMap((own: unknown, index): Draft[] => {
    if (!isMapping(own)) return [];
    const malformedOwn = malformed.get(`instances.${index}`) ?? new Set();
    const well = omit(own, malformedOwn);
    const written = cascade(shared, well);
    return [
      {
        index,
        written,
        settings: z.parse(draftSchema, written),
        malformed: new Set([...malformedOwn, ...malformedDefaults]),
        placeOf: (key) =>
          !Object.hasOwn(own, key) && Object.hasOwn(shared, key) ? ['defaults', key] : ['instances', index, key],
      },
    ];
  });
}

/** The top keys with an issue in or below them, by owner: `defaults` or `instances.<index>`. */
function collectMalformed(issues: readonly z.core.$ZodIssue[]): Map<string, Set<string>> {
  const byOwner = new Map<string, Set<string>>();
  for (const issue of issues) {
    const depth = issue.path[0] === 'defaults' ? 1 : 2;
    const owner = issue.path.slice(0, depth).map(String).join('.');
    const key = issue.path[depth];
    const unknown = issue.code === 'unrecognized_keys' ? issue.keys : [];
    const keys = key === undefined ? unknown : [String(key)];
    byOwner.set(owner, new Set([...(byOwner.get(owner) ?? []), ...keys]));
  }
  return byOwner;
}

/** The instance's own values over the shared ones: mappings key by key, everything else, lists included, as a whole. */
function cascade(shared: Mapping, own: Mapping): Mapping {
  const merged: Record<string, unknown> = { ...shared };
  for (const [key, value] of Object.entries(own)) {
    const below = merged[key];
    merged[key] = isMapping(below) && isMapping(value) ? cascade(below, value) : value;
  }
  return merged;
}

function omit(mapping: Mapping, keys: ReadonlySet<string>): Mapping {
  return Object.fromEntries(Object.entries(mapping).filter(([key]) => !keys.has(key)));
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
