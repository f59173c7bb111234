import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../core/config/parse.ts';
import type { ConfigProblem } from '../../core/config/problem.ts';
import type { Purpose } from '../../core/config/stack-rules.ts';
import { SECOND } from '../../core/config/units.ts';
import { fleetYaml } from '../model/fleet.ts';
import { cpuTime } from '../support/processes.ts';
import { fileWith } from '../unit/core/config/build.ts';
import { numbersIn } from './numbers.ts';
import { place } from './place.ts';
import { RUNS } from './runs.ts';

const fileOf = (name: string) => readFileSync(new URL(`../../config/${name}.yml`, import.meta.url), 'utf8');
/** Without its comments, which are two thirds of it. */
const EXAMPLE = fileOf('example').replaceAll(/^\s*#.*\n/gm, '');
const FILES = [EXAMPLE, fileOf('dev'), fleetYaml(), fileWith('metrics: core')];

/** For some 10 KB; a busy machine needs a hundredth of it. */
const LONGEST = 2 * SECOND;
const SECRET = 'hunter2';

/** Values of other types, sizes and characters than anybody means. */
const scalar = fc.oneof(
  fc.constantFrom(
    ...['.nan', '.inf', '-.inf', 'NaN', 'Infinity', '1e999', '-1e999', '9'.repeat(400), '-0', '0x7fffffffffffffff'],
    ...['~', 'null', 'true', '""', "' '", '[]', '{}', '[[]]', '{a: {b: c}}', '2026-11-24', '2026-11-24T02:00:00Z'],
    ...['!!float 1', '!!binary aGk=', '!env X', '&a 1', '*a', '&b {<<: *b}', '"\\u0000"', '\u0000', '\u0085', '\ufeff'],
    ...['１２', '\ud83c', '\u202e', '🎉', '| ', '>-', '@', '`', '%', '0B', '1e3MiB', `${'9'.repeat(30)}PiB`, '1e9h'],
    ...['999999999d', '-5m', '0.0000001ms', '101%', '-1%', '25:00'],
  ),
  fc.integer({ min: 1, max: 5_000 }).map((length) => 'x'.repeat(length)),
  fc.integer({ min: 1, max: 1_500 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.integer({ min: 1, max: 1_500 }).map((depth) => '{a: '.repeat(depth) + '}'.repeat(depth)),
  fc.double().map(String),
  fc.bigInt().map(String),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)),
);

/** Lines that turn up where nobody has written them. */
const stray = fc.constantFrom(
  ...[
    '<<: *a',
    '<<: {id: b}',
    '<<: [1, 2]',
    'defaults: &a',
    '- &a',
    '- *a',
    '? a',
    '---',
    '...',
    '%YAML 1.1',
    '\t- id: a',
  ],
  ...[
    '__proto__: {a: 1}',
    'constructor: 1',
    'instances: []',
    'id: sessions',
    'url: redis://a',
    ': :',
    '"',
    "'",
    '#',
    '',
  ],
);

type Mutation = (lines: readonly string[]) => readonly string[];
const at = (lines: readonly unknown[], share: number) => Math.min(lines.length - 1, Math.floor(share * lines.length));

/** Puts something where the value of a line stands: behind `key: ` and `- `, or else in place of all of it. */
const withValue = (line: string, value: string) =>
  /^\s*(- |[^#]*?: )/.test(line) ? line.replace(/^(\s*(?:- )?(?:[\w-]+: )?).*$/s, (_, start) => start + value) : value;

const writtenIn = (line: string) => /(?:: |- )([^#]*)/.exec(line)?.[1]?.trim() ?? line;
const grown = (line: string, digits: number) => line.replaceAll(/\d+/g, '9'.repeat(digits));

const onLine = (change: (line: string) => readonly string[]) =>
  place.map(
    (share): Mutation =>
      (lines) =>
        lines.toSpliced(at(lines, share), 1, ...change(lines[at(lines, share)] ?? '')),
  );

const mutation: fc.Arbitrary<Mutation> = fc.oneof(
  { weight: 4, arbitrary: scalar.chain((value) => onLine((line) => [withValue(line, value)])) },
  // The unit stays: a value of the right form, and larger than any number.
  fc.tuple(place, fc.constantFrom(3, 20, 120, 400)).map(
    ([share, digits]): Mutation =>
      (lines) => {
        const counted = [...lines.keys()].filter((index) => /^[^#]*\d/.test(lines[index] ?? ''));
        const index = counted[at(counted, share)];
        return index === undefined ? lines : lines.with(index, grown(lines[index] ?? '', digits));
      },
  ),
  // What is right elsewhere.
  fc.tuple(place, place).map(
    ([one, other]): Mutation =>
      (lines) => {
        if (lines.length === 0) return lines;
        const index = at(lines, one);
        return lines.with(index, withValue(lines[index] ?? '', writtenIn(lines[at(lines, other)] ?? '')));
      },
  ),
  onLine(() => []),
  onLine((line) => [line, line]),
  onLine((line) => [line.replace(/^\s*/, '')]),
  onLine((line) => [`\t${line}`]),
  onLine((line) => [line.replace(/:(?= |$)/, ': &a')]),
  onLine((line) => [line.replace(/:(?= |$).*/s, ': *a')]),
  onLine((line) => [line.replace(':', '')]),
  fc.tuple(stray, fc.nat({ max: 8 })).chain(([text, indent]) => onLine((line) => [line, ' '.repeat(indent) + text])),
  fc.integer({ min: 1, max: 4 }).chain((more) => onLine((line) => [' '.repeat(more) + line])),
  fc.tuple(place, place).map(
    ([one, other]): Mutation =>
      (lines) => {
        if (lines.length === 0) return lines;
        const [first, second] = [at(lines, one), at(lines, other)];
        return lines.with(first, lines[second] ?? '').with(second, lines[first] ?? '');
      },
  ),
  place.map(
    (share): Mutation =>
      (lines) =>
        lines.slice(0, at(lines, share) + 1),
  ),
  fc.constant<Mutation>((lines) => lines.map((line) => `${line}\r`)),
);

/** Addresses that somebody has written with a password in them, well-formed or not. */
const address = fc
  .tuple(
    fc.constantFrom('redis://', 'rediss://', 'REDIS://', 'https://', 'redis:/', '//', ''),
    fc.constantFrom('user', '', 'user%20name', 'u'.repeat(80), '\u00fc'),
    fc.constantFrom('@host', '@host:6379/0', '@[::1]:6379', '@', '@ho st', '@host?a=b', `@${'h'.repeat(80)}`),
    fc.constantFrom<(text: string) => string>(
      (text) => text,
      (text) => JSON.stringify(text),
      (text) => `'${text}'`,
      (text) => `[${text}]`,
      (text) => `{ ${text}: 1 }`,
      (text) => `${text}: ${text}`,
      (text) => `&${text} x`,
      (text) => `*${text}`,
      (text) => `!${text} x`,
      (text) => `"${text}`,
      (text) => `x # ${text}`,
    ),
  )
  .map(([scheme, user, rest, written]) => written(`${scheme}${user}:${SECRET}${rest}`));

const leak: fc.Arbitrary<Mutation> = fc
  .tuple(address, fc.boolean())
  .chain(([text, isValue]) => onLine((line) => (isValue ? [withValue(line, text)] : [line, text])));

const mutated = (most: number) =>
  fc
    .tuple(
      fc.constantFrom(...FILES),
      // Often one alone: behind another, it may not be looked at any more.
      fc.oneof(fc.array(mutation, { minLength: 1, maxLength: 1 }), fc.array(mutation, { maxLength: most })),
    )
    .map(([file, mutations]) =>
      mutations.reduce((lines, mutate) => mutate(lines), file.split('\n') as readonly string[]),
    );

const purpose = fc.constantFrom<Purpose>('local', 'deploy');

/** What is no key's. */
const ABOUT_THE_FILE = /^(the (file|aliases)|(a list|[^ ]+) is not a mapping$)/;

function expectNamed({ path, line, message, accepted, value }: ConfigProblem): void {
  // Where the YAML itself cannot be read there is no key, and no value: the line is told.
  if (path === '' && !ABOUT_THE_FILE.test(message))
    expect({ value, line }).toEqual({ value: '', line: expect.any(Number) });
  // A file may be a list at its top.
  expect(path).toMatch(/^([\w([<][^\s]*)?$/);
  for (const text of [message, accepted]) {
    expect(text.trim()).not.toBe('');
    expect(text).not.toMatch(/undefined|\[object|^Invalid/);
  }
  // Nobody reads a page of a value; `value` is part of most messages.
  expect(value.length).toBeLessThan(500);
}

function expectAnswer(text: string, reader: Purpose): readonly ConfigProblem[] {
  const startedAt = cpuTime();
  const result = parseConfig(text, 'prod', reader);
  expect(cpuTime() - startedAt).toBeLessThan(LONGEST);
  if (result.ok) {
    expect(numbersIn(result.config).filter((number) => !Number.isFinite(number))).toEqual([]);
    return [];
  }
  expect(result.problems.length).toBeGreaterThan(0);
  result.problems.forEach(expectNamed);
  return result.problems;
}

describe('a config text after accidents', () => {
  test('is a configuration of finite numbers, or problems that name their key and what is accepted', () => {
    fc.assert(
      fc.property(mutated(5), purpose, (lines, reader) => {
        expectAnswer(lines.join('\n'), reader);
      }),
      { numRuns: RUNS },
    );
  });

  const PIECES = ['[', '{a: ', 'a: ', '- ', '? ', '&a ', '*a, ', '"', ',', '\n', '- {}\n', '<<: {}\n'];
  test.each(PIECES)('of 20,000 characters, all of them %j, is answered soon', (piece) => {
    const text = piece.repeat(20_000 / piece.length);
    for (const head of ['', 'instances:\n']) expectAnswer(head + text, 'local');
  });

  test('has in no problem the password of an address, wherever that stands', () => {
    fc.assert(
      fc.property(mutated(2), leak, purpose, (lines, put, reader) => {
        const problems = expectAnswer(put(lines).join('\n'), reader);
        expect(JSON.stringify(problems)).not.toContain(SECRET);
      }),
      { numRuns: RUNS },
    );
  });
});
