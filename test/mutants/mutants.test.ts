import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MUTANTS } from './mutants.ts';

const ROOT = join(import.meta.dirname, '../..');

// The run of them takes minutes, and has a script of its own; that they still fit the code shows at once.

test.each(MUTANTS.map((mutant) => [mutant.law, mutant.what, mutant] as const))(
  '%s %s: what it breaks is there, once',
  (_law, _what, mutant) => {
    for (const { file, from, to } of [mutant, ...(mutant.also ? [mutant.also] : [])]) {
      expect(readFileSync(join(ROOT, file), 'utf8').split(from)).toHaveLength(2);
      expect(to).not.toBe(from);
    }
  },
);

test('every law has its mutants', () => {
  expect([...new Set(MUTANTS.map(({ law }) => law))].toSorted()).toEqual(
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11].map((n) => `S${n}`).toSorted(),
  );
});

test('the tests that are to notice are there', () => {
  for (const name of MUTANTS.flatMap(({ tests }) => tests)) {
    const isThere = existsSync(join(ROOT, 'test', name)) || existsSync(join(ROOT, 'test', `${name}.test.ts`));
    expect(isThere, name).toBe(true);
  }
});
