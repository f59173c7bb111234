import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openCharacters, patternsOf } from '../../../../core/keys/patterns.ts';

/** As docs/cli.md promises. */
const LEAST_KEYS = 10;

const many = (nameOf: (index: number) => string, count = 50) =>
  Array.from({ length: count }, (_, index) => nameOf(index));
const hex = (index: number, length: number) =>
  (index * 2_654_435_761).toString(16).padStart(length, '0a').slice(-length);
const uuid = (index: number) =>
  `${hex(index, 8)}-${hex(index, 4)}-4${hex(index, 3)}-a${hex(index, 3)}-${hex(index, 12)}`;

const different = (names: readonly string[]) => [...new Set(patternsOf(names))];

describe('what tells keys apart becomes a star', () => {
  test.each<readonly [what: string, nameOf: (index: number) => string, pattern: string]>([
    ['numbers', (index) => `user:${index}:profile`, 'user:*:profile'],
    ['UUIDs', (index) => `session:${uuid(index)}`, 'session:*'],
    ['hexadecimal hashes', (index) => `page:${hex(index, 16)}1:html`, 'page:*:html'],
    ['dates', (index) => `log:2026-11-${10 + (index % 20)}:web`, 'log:*:web'],
    ['dates with times', (index) => `log:2026-11-26T10:${10 + (index % 40)}:07Z`, 'log:*'],
    ['numbers within words', (index) => `cart${index}`, 'cart*'],
    ['hash tags', (index) => `{user${index}}:cart`, '{user*}:cart'],
    ['other separators', (index) => `app/v2/item_${index}.json`, 'app/v*/item_*.json'],
    [
      'names of people',
      (index) => `profile:${String.fromCharCode(97 + (index % 26), 97 + (index % 25))}smith`,
      'profile:*',
    ],
    ['letters beyond ASCII', (index) => `naïve${index}:x`, '*:x'],
    ['long words', (index) => `${'w'.repeat(30)}${index}`, '*'],
    ['control characters', (index) => `a\u001b[31m${index}:b`, '*:b'],
  ])('%s', (_, nameOf, pattern) => expect(different(many(nameOf))).toEqual([pattern]));
});

test('a word stays only where enough different keys share it, however often each was drawn', () => {
  const rare = many((index) => `secret:${index}`, LEAST_KEYS - 1);
  expect(different([...rare, ...rare, ...rare])).toEqual(['*']);
  expect(different(many((index) => `known:${index}`, LEAST_KEYS))).toEqual(['known:*']);
});

test('many words in one place are values, and none of them is printed', () => {
  const names = many((tenant) => `tenant:${String.fromCharCode(97 + (tenant % 26)).repeat(1 + tenant / 26)}`, 52);
  const keys = names.flatMap((name) => many((index) => `${name}:order:${index}`, 20));
  expect(different(keys)).toEqual(['tenant:*:order:*']);
});

test('patterns keep to the order of the names, and names without a word are one star', () => {
  expect(patternsOf(['1', '', 'zz'])).toEqual(['*', '*', '*']);
  expect(patternsOf([])).toEqual([]);
});

test('a very long name is cut, and takes no longer than its sample', () => {
  expect(different(many((index) => `k:${':'.repeat(100_000)}${index}`))[0]?.length).toBeLessThan(40);
});

test('every word of a pattern is shared by ten different names or more, whatever the names are', () => {
  const word = fc.stringMatching(/^[a-c]{1,2}$/);
  const name = fc.array(fc.oneof(word, fc.nat({ max: 99 }).map(String)), { minLength: 1, maxLength: 4 });
  const names = fc.array(
    name.map((parts) => parts.join(':')),
    { minLength: 1, maxLength: 200 },
  );
  fc.assert(
    fc.property(names, (all) => {
      const unique = [...new Set(all)];
      for (const pattern of new Set(patternsOf(all)))
        for (const [shared] of pattern.matchAll(/[a-z]+/g))
          expect(unique.filter((one) => one.includes(shared)).length).toBeGreaterThanOrEqual(LEAST_KEYS);
    }),
  );
});

test('what a pattern leaves open of a name', () => {
  expect(openCharacters('user:1234:name', 'user:*:name')).toBe(4);
  expect(openCharacters('x', '*')).toBe(1);
});
