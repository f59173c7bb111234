import { describe, expect, test } from 'vitest';
import { MINUTE, SECOND } from '../../../../core/config/units.ts';
import { lookingOrder, lookTime } from '../../../../core/reconcile/look-order.ts';

describe('the time that the first looks may take', () => {
  test.each([
    ['every: 1m, so two minutes less what publishing takes', 105 * SECOND, 35 * SECOND],
    ['every: 5m', 285 * SECOND, 95 * SECOND],
    ['every: 15m', 885 * SECOND, 295 * SECOND],
    ['a look of one server at least, however little remains', 9 * SECOND, 5 * SECOND],
    ['nothing remains', 0, 5 * SECOND],
    ['what has been overdrawn', -MINUTE, 5 * SECOND],
    ['a terminal, which has no end: a time that a timer takes', Number.MAX_SAFE_INTEGER, 15 * MINUTE],
  ])('%s', (_, remaining, time) => expect(lookTime(remaining)).toBe(time));

  test('leaves the sixty seconds that giving a lease back takes, in the shortest function that there is', () => {
    const remaining = 105 * SECOND;
    expect(remaining - lookTime(remaining)).toBeGreaterThanOrEqual(60 * SECOND);
  });
});

describe('the order of looks', () => {
  const nodes = ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => ({ node: { id } }));
  const order = (seed = 1, leased: readonly string[] = [], sightings: readonly (readonly [string, boolean])[] = []) =>
    lookingOrder(nodes, { leased: new Set(leased), sightings: new Map(sightings), seed }).map(({ node }) => node.id);

  test('leased, then answering, then not looked at, then silent ones by how long ago that was', () => {
    const sightings = [
      ['e', false],
      ['b', false],
      ['a', true],
      ['f', false],
    ] as const;
    const [first, second, ...rest] = order(1, ['f'], sightings);
    expect([first, second]).toEqual(['f', 'a']);
    expect(rest.slice(0, 2).toSorted()).toEqual(['c', 'd']);
    expect(rest.slice(2)).toEqual(['e', 'b']);
  });

  test('of what is not known, each node is the first one at some time, and none is left out', () => {
    const orders = Array.from({ length: 100 }, (_, seed) => order(seed * 60_000));
    for (const one of orders) expect(one.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    expect([...new Set(orders.map(([first]) => first))].toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
  });

  test('the same facts give the same order', () => expect(order(7)).toEqual(order(7)));
});
