import type * as z from 'zod/mini';
import { fileSchema } from './schema.ts';
import type { Path } from './show.ts';

/** The keys of one mapping of the file, and where it stands; in a list, without the index. */
interface Level {
  readonly path: readonly string[];
  readonly keys: readonly string[];
}

const LEVELS: readonly Level[] = levelsOf(fileSchema, []);

function levelsOf(schema: z.core.$ZodType, path: readonly string[]): readonly Level[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'optional':
    case 'prefault':
      return levelsOf(def.innerType, path);
    case 'array':
      return levelsOf(def.element, path);
    case 'object': {
      const keys = Object.keys(def.shape);
      const inner = Object.entries(def.shape).flatMap(([key, one]) => levelsOf(one, [...path, key]));
      return [{ path, keys }, ...inner];
    }
    default:
      return [];
  }
}

/** The keys that the mapping at a path accepts; none where there is no mapping. */
export function keysAt(path: Path): readonly string[] {
  return LEVELS.find((level) => level.path.join('.') === namesIn(path).join('.'))?.keys ?? [];
}

/** Where a key belongs that stands at the wrong level, in words; undefined for a key that is known nowhere. */
export function levelOf(key: string, at: Path): string | undefined {
  const here = namesIn(at);
  const fitting = LEVELS.filter(({ keys }) => keys.includes(key));
  // What is below the same mapping is nearer than what is elsewhere.
  const below = fitting.find((level) => level.path.slice(0, here.length).join('.') === here.join('.'));
  const level = below ?? fitting.find(({ path }) => path[0] !== 'defaults') ?? fitting[0];
  if (!level) return undefined;
  if (level.path.length === 0) return 'the top level of the file';
  const path = below ? level.path.slice(here.length) : level.path;
  const names = path[0] === 'instances' ? path.slice(1) : path;
  return names.length === 0 ? 'each instance' : `\`${names.join('.')}\``;
}

function namesIn(path: Path): readonly string[] {
  return path.filter((key) => typeof key !== 'number').map(String);
}
