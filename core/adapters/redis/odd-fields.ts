import type { OddField } from '../../domain/observation.ts';
import { printable } from './failure.ts';
import { type InfoLines, numberOf, valuesOf } from './info.ts';

/** Each real server prints it as a whole number. Those of INFO memory are judged where they are read (`memory-fields.ts`). */
const NUMBERS = ['uptime_in_seconds'] as const;
const TEXTS = ['redis_version', 'valkey_version', 'run_id', 'role', 'mem_allocator'] as const;
const MOST_SHOWN = 3;
const SHOWN_CHARACTERS = 40;

/** The fields that are ignored, because a text prints what they cannot hold, or prints them twice with different values. */
export function oddFields(texts: readonly InfoLines[]): readonly OddField[] {
  const odd = texts.flatMap((lines) => {
    const isNumber = (name: string) => NUMBERS.some((number) => number === name);
    return [...NUMBERS, ...TEXTS].flatMap((name): OddField[] => {
      const values = [...new Set(valuesOf(lines, name))];
      const isOdd = values.length > 1 || (isNumber(name) && values.some((value) => numberOf(value) === undefined));
      return isOdd ? [{ name, printed: values.slice(0, MOST_SHOWN).map(shown) }] : [];
    });
  });
  return [...new Map(odd.map((field) => [field.name, field])).values()];
}

function shown(value: string): string {
  return printable(value).slice(0, SHOWN_CHARACTERS);
}
