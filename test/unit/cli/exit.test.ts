import { expect, test } from 'vitest';
import { earlierFailureText } from '../../../cli/exit.ts';
import { aTick, NOW } from '../../support/builders.ts';

test('a run that ends well after a tick that did not says which one made its exit status 1', () => {
  const [bad, well] = [aTick({ undelivered: 1, at: NOW }), aTick({ at: NOW + 5000 })];
  expect(earlierFailureText(bad, well)).toMatch(
    /^offpeak: the exit status is 1 for an earlier tick, of 2026-11-24T01:14:05\.000Z: .*\n$/,
  );
  expect(earlierFailureText(bad, bad)).toBe('');
  expect(earlierFailureText(undefined, well)).toBe('');
});
