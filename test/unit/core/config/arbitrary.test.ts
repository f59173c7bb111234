import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../../core/config/parse.ts';
import { RUNS, runs } from '../../../fuzz/runs.ts';
import { problemsOf } from './build.ts';

const EXAMPLE = readFileSync(new URL('../../../../config/example.yml', import.meta.url), 'utf8');
const LINES = EXAMPLE.split('\n').filter((line) => !/^\s*(#|$)/.test(line));

/** Whatever the text, the answer is a configuration or problems that say something. */
function expectAnswer(text: string, stage = 'prod') {
  const result = parseConfig(text, stage);
  if (result.ok) {
    expect(result.config.instances.length).toBeGreaterThan(0);
    return;
  }
  expect(result.problems.length).toBeGreaterThan(0);
  for (const { message, accepted } of result.problems) {
    expect(message).not.toMatch(/undefined|\[object|^\s*$/);
    expect(accepted).not.toMatch(/undefined|\[object|^\s*$|^Invalid/);
  }
}

describe('parseConfig answers, and never throws,', () => {
  test('for any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), fc.string(), expectAnswer), {
      numRuns: runs(0.6),
    });
  });

  test('for text made of what YAML finds special', () => {
    const piece = fc.constantFrom(
      ...['instances', 'defaults', 'purge', 'id', '__proto__', ': ', ':', '- ', '[', ']', '{', '}', ', ', '&a ', '*a'],
      ...[
        '\n',
        '\n  ',
        '\n    ',
        '"',
        "'",
        '|',
        '>',
        '!!set ',
        '!!binary ',
        '? ',
        '%YAML 1.1\n',
        '---\n',
        '<<',
        '~',
        '1',
      ],
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => expectAnswer(pieces.join(''))),
      { numRuns: RUNS },
    );
  });

  test('for the example with a piece cut out, doubled or replaced', () => {
    const place = fc.nat({ max: EXAMPLE.length });
    const edit = fc.record({ from: place, length: fc.nat({ max: 40 }), put: fc.string({ maxLength: 10 }) });
    fc.assert(
      fc.property(edit, fc.boolean(), ({ from, length, put }, double) => {
        const cut = EXAMPLE.slice(from, from + length);
        expectAnswer(EXAMPLE.slice(0, from) + put + (double ? cut + cut : '') + EXAMPLE.slice(from + length));
      }),
      { numRuns: runs(0.2) },
    );
  });

  test('for the example with its lines dropped and shuffled', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(LINES), (lines) => expectAnswer(lines.join('\n'))),
      { numRuns: runs(0.2) },
    );
  });

  test('for any value under any key', () => {
    const keys = ['id', 'url', 'nodes', 'credentials', 'tls', 'memoryLimit', 'timezone', 'windows', 'purge', 'defrag'];
    const key = fc.constantFrom(...keys, 'maxOpsPerSecond', 'thresholds', 'metrics', 'other');
    const owner = fc.dictionary(key, fc.jsonValue({ maxDepth: 3 }));
    fc.assert(
      // JSON is YAML: the values arrive as they are.
      fc.property(owner, fc.array(owner), (defaults, instances) =>
        expectAnswer(JSON.stringify({ defaults, instances })),
      ),
      { numRuns: runs(0.2) },
    );
  });
});

test('a password is never repeated, wherever in the example a slip puts it', () => {
  const secret = 'Xq7Zp0Wv';
  const slip = fc.constantFrom(
    `password: ${secret}`,
    `{password:${secret}}`,
    `redis://u:${secret}@h`,
    `"${secret}`,
    secret,
  );
  const line = fc.nat({ max: LINES.length });
  fc.assert(
    fc.property(line, fc.nat({ max: 8 }), slip, (at, indent, text) => {
      const file = [...LINES.slice(0, at), `${' '.repeat(indent)}${text}`, ...LINES.slice(at)].join('\n');
      expect(JSON.stringify(problemsOf(file))).not.toContain(secret);
    }),
    { numRuns: runs(0.4) },
  );
});
