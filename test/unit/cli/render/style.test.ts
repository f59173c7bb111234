import { expect, test } from 'vitest';
import { plainPaint, styleFor } from '../../../../cli/render/style.ts';

const tty = { isTTY: true };

test.each([
  ['a terminal', tty, {}, true, true],
  ['--no-color', tty, {}, false, false],
  ['NO_COLOR', tty, { NO_COLOR: '1' }, true, false],
  ['an empty NO_COLOR says nothing', tty, { NO_COLOR: '' }, true, true],
  ['a dumb terminal', tty, { TERM: 'dumb' }, true, false],
  ['a pipe', {}, {}, true, false],
])('colours: %s', (_, stream, env, color, isColoured) => {
  expect(styleFor(stream, env, { color }).paint('bad', 'x') !== 'x').toBe(isColoured);
});

test.each([
  [{ LANG: 'en_US.UTF-8' }, true],
  [{ LANG: 'C.utf8' }, true],
  [{ LANG: 'C' }, false],
  [{}, false],
  [{ LANG: 'C', LC_ALL: 'de_DE.UTF-8' }, true],
  [{ LANG: 'de_DE.UTF-8', LC_ALL: 'POSIX' }, false],
  [{ LANG: 'en_US.UTF-8', NO_COLOR: '1' }, true],
])('blocks: %j', (env, unicode) => {
  expect(styleFor(tty, env, { color: true }).unicode).toBe(unicode);
});

test('plain is plain', () => expect(plainPaint('bad', 'x')).toBe('x'));
