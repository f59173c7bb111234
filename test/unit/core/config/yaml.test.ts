import { describe, expect, test } from 'vitest';
import { configOf, fileWith, problemsOf } from './build.ts';

const BOMB = [
  'a: &a [x, x, x, x, x, x, x, x, x]',
  ...'bcdefghi'.split('').map((key, index) => {
    const below = 'abcdefgh'[index];
    return `${key}: &${key} [${Array.from({ length: 9 }, () => `*${below}`).join(', ')}]`;
  }),
].join('\n');

const OVER_LINES = 'a value spreads over several lines: is a colon or a quote missing?';

describe('YAML that is no configuration', () => {
  test.each([
    ['an empty file', '', 'the file is empty', undefined],
    ['only comments', '# later\n', 'the file is empty', undefined],
    ['a list at the top', '- id: a', 'a list is not a mapping', 1],
    ['a word', 'hello', '"hello" is not a mapping', 1],
    ['tabs', 'instances:\n\t- id: a', 'a tab is used as indentation', 2],
    ['a second document', `${fileWith()}\n---\na: 1`, 'a second document begins (---)', 4],
    ['an unclosed bracket', 'instances: [', 'the indentation is wrong, or a bracket is not closed', 1],
    ['a reserved character', 'instances: @x', 'a value begins with a reserved character', 1],
    ['a tag', 'instances: !env X', 'a tag (!name) has no meaning here', 1],
    ['an alias of nothing', 'instances: *x', 'an alias (*name) has no anchor above it', 1],
    ['an alias bomb', BOMB, 'the aliases of the file multiply', undefined],
    ['many aliases', `a: &a 1\nb: [${'*a, '.repeat(101)}]`, 'the aliases of the file multiply', undefined],
    ['a key that is a list', '[a]: 1', 'a key is not text', 1],
    ['a value over two lines', 'instances:\n  - id: sessions\n      web', OVER_LINES, 2],
    ['a quoted value over two lines', 'instances:\n  - id: "sessions\n      web"', OVER_LINES, 2],
    ['a block of text', 'instances:\n  - id: |\n      sessions\n      web', OVER_LINES, 2],
    ['deep nesting', '['.repeat(20_000), 'the file is nested too deeply to be read', 1],
    ['5 MB', 'a'.repeat(5_000_000), 'the file has 5000000 characters', undefined],
  ])('%s', (_, file, message, line) => {
    const [problem] = problemsOf(file);
    expect(problem).toMatchObject({ path: '', message, ...(line !== undefined && { line }) });
    expect(problem?.accepted).not.toBe('');
  });

  test('a key written twice is told with its line, beside the other problems', () => {
    const file = fileWith('purge:', '  maxBlock: 5ms', '  maxBlock: 6ms', 'metrics: all');
    expect(problemsOf(file).map(({ line, path, message }) => `${line} ${path}: ${message}`)).toEqual([
      '6 : a key is written twice',
      '7 instances[0].metrics: "all" is not one of the choices',
    ]);
  });

  test('no instances', () => {
    expect(problemsOf('defaults: {}')).toMatchObject([{ path: 'instances', message: 'is required' }]);
    expect(problemsOf('instances:')).toMatchObject([{ path: 'instances', message: 'has no value' }]);
    expect(problemsOf('instances: []')).toMatchObject([{ path: 'instances', message: 'a list is empty' }]);
    expect(problemsOf('instances: {a: {}}')).toMatchObject([{ path: 'instances', message: 'a mapping is not a list' }]);
  });
});

describe('YAML that is fine', () => {
  test.each([
    ['a byte order mark', `\uFEFF${fileWith()}`],
    ['Windows line ends', fileWith('metrics: core').replaceAll('\n', '\r\n')],
    ['comments everywhere', fileWith('# why', 'metrics: core # because')],
    ['an explicit document', `---\n${fileWith()}\n...\n`],
  ])('%s', (_, file) => {
    expect(configOf(file).instances).toHaveLength(1);
  });

  test('a window under an anchor serves several instances, and its mistakes have the line of the anchor', () => {
    const file = (duration: string) => `instances:
  - id: a
    url: redis://a
    timezone: UTC
    windows: &night
      - { days: daily, start: "02:00", duration: ${duration} }
  - { id: b, url: redis://b, timezone: UTC, windows: *night }`;
    expect(configOf(file('3h')).instances[1]?.windows).toEqual(configOf(file('3h')).instances[0]?.windows);
    expect(problemsOf(file('3')).map(({ line, path }) => `${line} ${path}`)).toEqual([
      '6 instances[0].windows[0].duration',
      '6 instances[1].windows[0].duration',
    ]);
  });

  test('an anchor inside itself is refused, not followed for ever', () => {
    expect(problemsOf(fileWith('purge: &p { enabled: *p }'))).toMatchObject([
      { path: 'instances[0].purge.enabled', value: 'a mapping' },
    ]);
  });
});
