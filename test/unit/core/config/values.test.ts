import { describe, expect, test } from 'vitest';
import { configOf, fileWith, instanceWith, problemsOf } from './build.ts';

const KIB = 1024;
const SECOND = 1000;
const HOUR = 3_600_000;

describe('sizes carry a unit', () => {
  test.each([
    ['128MiB', 128 * KIB ** 2],
    ['1.5GiB', 1.5 * KIB ** 3],
    ['100MB', 100_000_000],
    ['100mb', 100_000_000],
    ['64 KiB', 64 * KIB],
    ['1B', 1],
    ['0', 0],
    ['"0"', 0],
  ])('%s is %d bytes', (written, bytes) => {
    expect(instanceWith(`purge: { minReclaim: ${written} }`).purge.minReclaim).toBe(bytes);
  });

  test.each([
    ['12 parsecs', '"12 parsecs"', '"12 parsecs" is not a size'],
    ['128', '128', '128 has no unit'],
    ['"128"', '"128"', '"128" has no unit'],
    ['128M', '"128M"', '"128M" is not a size'],
    ['5iB', '"5iB"', '"5iB" is not a size'],
    ['-1MiB', '"-1MiB"', '"-1MiB" is not a size'],
    ['.inf', 'Infinity', 'Infinity has no unit'],
    ['99999PiB', '"99999PiB"', '"99999PiB" is too large'],
    ['true', 'true', 'true is not a size'],
    ['[1MiB]', 'a list', 'a list is not a size'],
    ['', '(empty)', 'has no value'],
  ])('%s is refused', (written, value, message) => {
    expect(problemsOf(fileWith('purge:', `  minReclaim: ${written}`))).toEqual([
      {
        path: 'instances[0].purge.minReclaim',
        value,
        accepted: 'a size with a unit, like 128MiB',
        message,
        line: 5,
      },
    ]);
  });

  test('a memory limit of nothing is refused', () => {
    expect(problemsOf(fileWith('memoryLimit: 0'))).toMatchObject([
      { path: 'instances[0].memoryLimit', value: '0', message: '0 is too small' },
    ]);
  });
});

describe('durations carry a unit', () => {
  test.each([
    ['0s', 0],
    ['1500ms', 1500],
    ['1.1s', 1100],
    ['1.5h', 1.5 * HOUR],
    ['30 m', HOUR / 2],
    ['30d', 720 * HOUR],
  ])('%s is %d ms', (written, ms) => {
    expect(instanceWith(`purge: { cooldown: ${written} }`).purge.cooldown).toBe(ms);
  });

  test('half milliseconds are kept: a stall budget is a promise', () => {
    expect(instanceWith('defrag: { maxStall: 1.5ms }').defrag.maxStall).toBe(1.5);
  });

  test.each([
    ['30', '30 has no unit'],
    ['"30"', '"30" has no unit'],
    ['0', '0 has no unit'],
    ['-5m', '"-5m" is not a duration'],
    ['30M', '"30M" is not a duration'],
    ['1y', '"1y" is not a duration'],
    ['.nan', 'NaN has no unit'],
    ['soon', '"soon" is not a duration'],
    [`${'9'.repeat(400)}d`, `"${'9'.repeat(60)}…" is not a duration`],
    ['31d', '"31d" is longer than 30d'],
  ])('%s is refused', (written, message) => {
    expect(problemsOf(fileWith(`purge: { cooldown: ${written} }`))).toMatchObject([
      {
        path: 'instances[0].purge.cooldown',
        message,
        accepted: 'a duration from 0s to 30d with its unit, like 6h',
        line: 4,
      },
    ]);
  });
});

describe('ranges include their ends', () => {
  test.each([
    ['purge.maxBlock', '1ms', '10s', '0.9ms', '10001ms'],
    ['defrag.maxStall', '1ms', '100ms', '0.5ms', '101ms'],
    ['defrag.maxCpu', '1', '75%', '0', '76%'],
    ['defrag.maxDuration', '10s', '12h', '9s', '13h'],
    ['maxMainThreadCpu', '1', '100%', '0', '101%'],
    ['maxOpsPerSecond', '0', '10000000', '-1', '10000001'],
    ['thresholds.fragmentationWarning.ratio', '1.05', '2', '1.04', '100.1'],
    ['thresholds.fragmentationCritical.ratio', '1.5', '100', '1', '.inf'],
    ['thresholds.fragmentationWarning.for', '1m', '24h', '0m', '25h'],
    ['thresholds.rssCritical.percentOfLimit', '1', '100', '0', '101'],
    ['thresholds.rssCritical.for', '1m', '24h', '90s', '59s'],
  ])('%s: %s and %s pass, %s and %s do not', (path, low, high, below, above) => {
    for (const good of [low, high]) expect(problemsOf(fileWith(nested(path, good)))).toEqual([]);
    for (const bad of [below, above]) {
      expect(problemsOf(fileWith(nested(path, bad))).map((problem) => problem.path)).toEqual([`instances[0].${path}`]);
    }
  });

  function nested(path: string, value: string): string {
    const [first, ...rest] = path.split('.');
    const tail = rest.reduceRight((inner, key) => `{ ${key}: ${inner} }`, value);
    return `${first}: ${tail}`;
  }
});

describe('percentages, numbers and choices', () => {
  test('25% and 25 are the same', () => {
    expect(instanceWith('defrag: { maxCpu: 25% }').defrag.maxCpu).toBe(25);
    expect(instanceWith('defrag: { maxCpu: 25 }').defrag.maxCpu).toBe(25);
  });

  test.each([
    ['defrag: { maxCpu: 12.5 }', 'defrag.maxCpu', '12.5 is not a whole percentage'],
    ['defrag: { maxCpu: 25 % }', 'defrag.maxCpu', '"25 %" is not a whole percentage'],
    ['maxMainThreadCpu: 0.4', 'maxMainThreadCpu', '0.4 is not a whole percentage'],
    ['maxMainThreadCpu: 40 %', 'maxMainThreadCpu', '"40 %" is not a whole percentage'],
    ['maxMainThreadCpu: 101', 'maxMainThreadCpu', '101 is outside 1 to 100'],
    ['maxOpsPerSecond: 1000.5', 'maxOpsPerSecond', '1000.5 is not a whole number'],
    ['maxOpsPerSecond: "1000"', 'maxOpsPerSecond', '"1000" is not a number'],
    ['maxOpsPerSecond: -1', 'maxOpsPerSecond', '-1 is below 0'],
    ['metrics: all', 'metrics', '"all" is not one of the choices'],
    ['purge: { enabled: yes }', 'purge.enabled', '"yes" is neither true nor false'],
    ['id: Sessions', 'id', '"Sessions" does not have that form'],
  ])('%s is refused', (line, path, message) => {
    const file = line.startsWith('id:') ? `instances:\n  - ${line}\n    url: redis://h` : fileWith(line);
    expect(problemsOf(file)).toMatchObject([{ path: `instances[0].${path}`, message }]);
  });

  test("the main thread's limit is told with its line, its value and what is accepted", () => {
    expect(problemsOf(fileWith('maxMainThreadCpu: 0%'))).toEqual([
      {
        path: 'instances[0].maxMainThreadCpu',
        value: '"0%"',
        accepted: 'a whole percentage from 1 to 100, like 100 or 100%',
        message: '"0%" is outside 1 to 100',
        line: 4,
      },
    ]);
  });

  test('`for` counts in whole minutes, as the alarms do', () => {
    const [problem] = problemsOf(fileWith('thresholds: { rssCritical: { for: 90s } }'));
    expect(problem).toMatchObject({
      message: '"90s" is not in whole minutes',
      accepted: 'a duration in whole minutes from 1m to 24h with its unit, like 30m',
    });
    expect(instanceWith('thresholds: { rssCritical: { for: 120s } }').thresholds.rssCritical.for).toBe(120 * SECOND);
  });
});

describe('F8: maxDefragsAtOnce is of the whole stage', () => {
  test('it is 4 by default, and 1 to 100, or a share of all', () => {
    expect(configOf(fileWith()).maxDefragsAtOnce).toBe(4);
    for (const limit of [1, 100])
      expect(configOf(`maxDefragsAtOnce: ${limit}\n${fileWith()}`)).toMatchObject({ maxDefragsAtOnce: limit });
    expect(configOf(`maxDefragsAtOnce: 10%\n${fileWith()}`).maxDefragsAtOnce).toEqual({ percent: 10 });
  });

  test.each([
    ['0', '0', '0 is outside 1 to 100'],
    ['101', '101', '101 is outside 1 to 100'],
    ['2.5', '2.5', '2.5 is neither a whole number nor a percentage'],
    ['"4"', '"4"', '"4" is neither a whole number nor a percentage'],
    ['0%', '"0%"', '"0%" is neither a whole number nor a percentage'],
    ['101%', '"101%"', '"101%" is neither a whole number nor a percentage'],
    ['all', '"all"', '"all" is neither a whole number nor a percentage'],
  ])('%s is refused', (written, value, message) => {
    expect(problemsOf(`maxDefragsAtOnce: ${written}\n${fileWith()}`)).toEqual([
      {
        path: 'maxDefragsAtOnce',
        value,
        accepted: 'a whole number from 1 to 100, or a whole percentage from 1% to 100%',
        message,
        line: 1,
      },
    ]);
  });

  test('an instance has none of its own', () => {
    expect(problemsOf(fileWith('maxDefragsAtOnce: 1'))).toMatchObject([{ path: 'instances[0].maxDefragsAtOnce' }]);
  });
});

describe('modules that the config vouches for', () => {
  const list = 'a list of at most 32 names of modules, as INFO modules prints them';

  test('are named as INFO modules names them', () => {
    expect(instanceWith('defrag: { allowModules: [search, ReJSON] }').defrag.allowModules).toEqual([
      'search',
      'ReJSON',
    ]);
    expect(instanceWith().defrag.allowModules).toEqual([]);
  });

  test.each([
    ['search', 'defrag.allowModules', list],
    ['["a b"]', 'defrag.allowModules[0]', 'the name of a module, as INFO modules prints it, like search'],
    [`[${Array(33).fill('m').join()}]`, 'defrag.allowModules', list],
  ])('%s is refused', (written, path, accepted) => {
    expect(problemsOf(fileWith(`defrag: { allowModules: ${written} }`))).toMatchObject([
      { path: `instances[0].${path}`, accepted },
    ]);
  });
});
