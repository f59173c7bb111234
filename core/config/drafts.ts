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
  const malformed = collectMalformed(issues);
  return listed.flatMap((own: unknown, index): Draft[] => {
    if (!isMapping(own)) return [];
    const at: Path = ['instances', index];
    const levels = [at, ...templatesOf(file, own.template), ['defaults']].map((path) => levelAt(file, path, malformed));
    const written = levels.reduceRight<Mapping>((below, { values }) => cascade(below, values), {});
    return [
      {
        index,
        written: omit(written, new Set(['template'])),
        settings: z.parse(draftSchema, written),
        malformed: new Set(levels.flatMap((level) => [...level.malformed])),
        placeOf: (key) => [...(levels.find((level) => level.has(key))?.path ?? at), key],
      },
    ];
  });
}

/** One mapping of the file that an instance takes values from: its own, a template, or `defaults`. */
interface Level {
  readonly path: Path;
  /** Those that are well-formed. */
  readonly values: Mapping;
  readonly malformed: ReadonlySet<string>;
  readonly has: (key: string) => boolean;
}

function levelAt(file: unknown, path: Path, malformed: ReadonlyMap<string, ReadonlySet<string>>): Level {
  const written = valueAt(file, path);
  const odd = malformed.get(path.join('.')) ?? new Set<string>();
  const all = isMapping(written) ? written : {};
  return { path, values: omit(all, odd), malformed: odd, has: (key) => Object.hasOwn(all, key) };
}

/** The template that an instance names, the one that this one names, and so on: nearest first, up to one that there is not, or a circle. */
function templatesOf(file: unknown, name: unknown, nearer: readonly Path[] = []): readonly Path[] {
  if (typeof name !== 'string' || nearer.some((path) => path[1] === name)) return nearer;
  const path = ['templates', name];
  const found = valueAt(file, path);
  return isMapping(found) ? templatesOf(file, found.template, [...nearer, path]) : nearer;
}

/** The top keys with an issue in or below them, by owner: `defaults`, `templates.<name>` or `instances.<index>`. */
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
