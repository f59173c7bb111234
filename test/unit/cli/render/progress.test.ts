import { describe, expect, test } from 'vitest';
import { createProgress, progressLine } from '../../../../cli/render/progress.ts';
import { plainPaint } from '../../../../cli/render/style.ts';

const CLEAR_LINE = '\r\u001b[2K';
const style = { paint: plainPaint, unicode: false };

function anOutput(over: { readonly isTTY?: boolean; readonly columns?: number } = {}) {
  const written: string[] = [];
  return { ...over, written, write: (text: string) => written.push(text) };
}

test('a line has a bar, a whole percentage and a note', () => {
  expect(progressLine('filling', 0.509, '1200 keys', style)).toBe(
    'filling ###############---------------  50 %  1200 keys',
  );
  expect(progressLine('filling', 1.2, '', style)).toBe('filling ############################## 100 %');
});

describe('on a terminal', () => {
  test('one line rewrites itself, and its end takes its place', () => {
    const output = anOutput({ isTTY: true, columns: 80 });
    const progress = createProgress(output, style, () => 0);
    progress.update('filling', 0.1);
    progress.update('filling', 0.2);
    progress.done('filled');
    expect(output.written).toEqual([
      `${CLEAR_LINE}${progressLine('filling', 0.1, '', style)}`,
      `${CLEAR_LINE}${progressLine('filling', 0.2, '', style)}`,
      CLEAR_LINE,
      'filled\n',
    ]);
  });

  test('is never wider than the terminal: the note gives way', () => {
    const output = anOutput({ isTTY: true, columns: 60 });
    createProgress(output, style, () => 0).update('filling', 0.5, 'a note that is much longer than there is room for');
    expect((output.written[0] ?? '').replace(CLEAR_LINE, '').length).toBeLessThan(60);
  });

  test('to end what was not begun writes nothing', () => {
    const output = anOutput({ isTTY: true });
    createProgress(output, style, () => 0).done();
    expect(output.written).toEqual([]);
  });
});

describe('elsewhere', () => {
  test('a plain line at the start of each step and then every five seconds', () => {
    const output = anOutput();
    let now = 0;
    const progress = createProgress(output, style, () => now);
    for (now = 0; now <= 11_000; now += 1000) progress.update('filling', now / 11_000, 'keys');
    progress.update('expiring', 0);
    progress.done('done');
    expect(output.written).toEqual([
      'filling 0 %, keys\n',
      'filling 45 %, keys\n',
      'filling 90 %, keys\n',
      'expiring 0 %\n',
      'done\n',
    ]);
  });
});
