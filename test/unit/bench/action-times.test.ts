import { describe, expect, test } from 'vitest';
import { actionTimesIn, type Look } from '../../../bench/support/action-times.ts';
import { latenciesIn, type Sample } from '../../../bench/support/latencies.ts';

const SECOND = 1_000_000;

/** A look a second, answered after a tenth: `.` off, `o` on and at rest, `r` on and running, `p` off, just purged. */
function looksOf(picture: string): readonly Look[] {
  let purges = 7;
  return [...picture].map((state, second) => {
    if (state === 'p') purges++;
    const from = second * SECOND;
    return { from, to: from + SECOND / 10, isOn: 'or'.includes(state), running: state === 'r' ? 25 : 0, purges };
  });
}

describe('when a cure was at work', () => {
  test.each([
    { what: 'nothing', picture: '....', spans: [], defragging: 0 },
    { what: 'a defrag, from the look before to the look after', picture: '..orr..', spans: [[1, 5.1]], defragging: 3 },
    { what: 'a switch that stays on: up to its rest', picture: '.rroooo.', spans: [[0, 3.1]], defragging: 2 },
    { what: 'a rest between two passes', picture: '.rroorr.', spans: [[0, 7.1]], defragging: 6 },
    { what: 'a switch without a defrag', picture: '.ooo.', spans: [[0, 4.1]], defragging: 0 },
    { what: 'a switch that is on to the last look', picture: '.rr', spans: [[0, 2.1]], defragging: 1 },
    { what: 'a purge', picture: '...p...', spans: [[2, 3.1]], defragging: 0 },
    {
      what: 'a defrag, and later its purge',
      picture: '.rr...p.',
      spans: [
        [0, 3.1],
        [5, 6.1],
      ],
      defragging: 2,
    },
  ])('$what', ({ picture, spans, defragging }) => {
    const times = actionTimesIn(looksOf(picture));
    expect(times.spans.map(({ from, to }) => [from / SECOND, to / SECOND])).toEqual(spans);
    expect(times.defragging).toBe(defragging);
  });
});

test('only requests that were sent within a span count, each of them once', () => {
  const samples: Sample[] = [
    [0, 900_000, 0],
    [10, 1000, 0],
    [15, 3000, 0],
    [20, 2000, 0],
    [21, 800_000, 0],
  ];
  const spans = [
    { from: 10, to: 16 },
    { from: 15, to: 20 },
  ];
  expect(latenciesIn(spans, samples)).toEqual({ p50: 2, p99: 3, p999: 3, max: 3, count: 3 });
});
