import { describe, expect, test } from 'vitest';
import { ConfigError, formatProblems } from '../../../../core/config/problem.ts';
import { fileWith, problemsOf } from './build.ts';

describe('an unknown key', () => {
  test.each([
    ['purg: {}', 'purg', 'purge'],
    ['memory_limit: 6GiB', 'memory_limit', 'memoryLimit'],
    ['max-ops-per-second: 5', 'max-ops-per-second', 'maxOpsPerSecond'],
    ['TimeZone: UTC', 'TimeZone', 'timezone'],
    ['defrag: { maxcpu: 5 }', 'defrag.maxcpu', 'maxCpu'],
    ['thresholds: { rssCritical: { percentofLimt: 5 } }', 'thresholds.rssCritical.percentofLimt', 'percentOfLimit'],
    ['windows: [{ strat: "02:00", days: daily, duration: 3h, start: "02:00" }]', 'windows[0].strat', 'start'],
  ])('{ %s } suggests the nearest one', (line, path, meant) => {
    const key = path.split('.').at(-1);
    expect(problemsOf(fileWith(line))).toMatchObject([
      {
        path: `instances[0].${path}`,
        value: key,
        message: `unknown key \`${key}\`: did you mean \`${meant}\`?`,
        line: 4,
      },
    ]);
  });

  test.each([
    ['maxDefragsAtOnce: 2', 'maxDefragsAtOnce', 'the top level of the file'],
    ['maxStall: 5ms', 'maxStall', '`defrag`'],
    ['defrag: { minReclaim: 1MiB, maxBlock: 5ms }', 'defrag.maxBlock', '`purge`'],
    ['credentials: { url: redis://h }', 'credentials.url', 'each instance'],
    ['percentOfLimit: 80', 'percentOfLimit', '`thresholds.rssCritical`'],
  ])('{ %s } that is one elsewhere belongs there', (line, path, level) => {
    const key = path.split('.').at(-1);
    expect(problemsOf(fileWith(line))).toMatchObject([
      { path: `instances[0].${path}`, message: `unknown key \`${key}\`: it belongs to ${level}` },
    ]);
  });

  test.each(['flor: 1', 'ports: 5', 'ids: a', 'rules: 1'])('{ %s } is near to none: nothing is suggested', (line) => {
    const [key] = line.split(':');
    const said = problemsOf(fileWith(line)).map(({ message }) => message);
    expect(said).toEqual([key === 'ids' ? 'unknown key `ids`: did you mean `id`?' : `unknown key \`${key}\``]);
  });

  test('a merge key is refused with what takes its place', () => {
    expect(problemsOf(`x: &x { timezone: UTC }\n${fileWith('<<: *x')}`)).toMatchObject([
      { path: 'x' },
      { path: 'instances[0].<<', message: expect.stringMatching(/merge keys .* belongs under `defaults`$/) },
    ]);
  });

  test('one that may hold a secret is not shown, and nothing stands in its place', () => {
    const [problem] = problemsOf(fileWith('credentials: {"password:hunter2": 1}'));
    expect(problem).toMatchObject({
      path: 'instances[0].credentials',
      value: '',
      message: 'has an unknown key, which is not shown because it may hold a secret',
    });
  });

  test('far from all of them says which there are', () => {
    expect(problemsOf('instances: [{ id: a, url: redis://h }]\nhosts: 5')).toEqual([
      {
        path: 'hosts',
        value: 'hosts',
        message: 'unknown key `hosts`',
        accepted:
          'a mapping with the keys defaults, templates, instances, maxDefragsAtOnce, schedule, metrics, notifications, fleet, runbook, logRetention',
        line: 2,
      },
    ]);
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('%s is one, and pollutes nothing', (key) => {
    const file = `${key}: { polluted: 1 }\ndefaults: { ${key}: { polluted: 1 } }\n${fileWith(`purge: { ${key}: 1 }`)}`;
    expect(problemsOf(file).map(({ path }) => path)).toEqual([key, `defaults.${key}`, `instances[0].purge.${key}`]);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});

describe('all problems come at once', () => {
  const FILE = `
defaults:
  purge: { minReclaim: 12 parsecs }
  windows:
    - { days: daily, start: "02:00", duration: 3h }
instances:
  - id: a
    url: redis://u:hunter2@h
    thresholds: { fragmentationCritical: { ratio: 1.2 } }
  - id: a
    nodes: [redis://n, rediss://m]
    defrag: { maxStall: 1s, maxCpu: 90 }
  - foo
  - id: c
`;

  test('in the order of the file, broken values and broken rules alike, of every instance', () => {
    expect(problemsOf(FILE).map(({ line, path }) => `${line} ${path}`)).toEqual([
      '2 defaults.timezone',
      '3 defaults.purge.minReclaim',
      '8 instances[0].url',
      '9 instances[0].thresholds.fragmentationCritical.ratio',
      '10 instances[1].id',
      '11 instances[1].nodes[1]',
      '12 instances[1].defrag.maxStall',
      '12 instances[1].defrag.maxCpu',
      '13 instances[2]',
      '14 instances[3]',
    ]);
  });

  test('are one line each when formatted', () => {
    const lines = formatProblems(problemsOf(FILE), 'config/prod.yml').split('\n');
    expect(lines).toHaveLength(10);
    expect(lines[1]).toBe(
      'config/prod.yml:3 defaults.purge.minReclaim: "12 parsecs" is not a size; accepted: a size with a unit, like 128MiB',
    );
  });

  test('are all in the error, too', () => {
    const problems = problemsOf(FILE);
    const error = new ConfigError(problems, 'config/prod.yml');
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe('ConfigError');
    expect(error.problems).toBe(problems);
    expect(error.message).toBe(formatProblems(problems, 'config/prod.yml'));
  });

  test('a rule does not judge what is malformed, so that nothing is told twice', () => {
    const file = fileWith('thresholds: { fragmentationWarning: { ratio: 3 }, fragmentationCritical: { ratio: much } }');
    expect(problemsOf(file).map(({ path }) => path)).toEqual(['instances[0].thresholds.fragmentationCritical.ratio']);
  });

  test('values are quoted short and on one line', () => {
    const [problem] = problemsOf(fileWith(`metrics: "a\\nb${'x'.repeat(500)}"`));
    expect(problem?.value).toBe(`"a\\nb${'x'.repeat(57)}…"`);
  });
});

describe('the stage', () => {
  test.each(['', 'Prod', '1st', 'a b', '../etc', 'x'.repeat(21)])('"%s" is refused', (stage) => {
    expect(problemsOf(fileWith(), stage)).toMatchObject([
      { path: 'stage', accepted: 'a lower-case letter, then up to 19 letters, digits or hyphens' },
    ]);
  });
});

test('without a file name the line stands alone', () => {
  expect(formatProblems(problemsOf('a: 1\na: 2\ninstances: [{ id: a, url: redis://h }]'))).toBe(
    [
      'line 1 a: unknown key `a`; accepted: a mapping with the keys defaults, templates, instances, maxDefragsAtOnce, schedule, metrics, notifications, fleet, runbook, logRetention',
      'line 2: a key is written twice; accepted: each key once',
    ].join('\n'),
  );
});
