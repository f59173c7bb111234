import { expect, test } from 'vitest';
import { briefReason } from '../../../../../core/actions/defrag/stop-reasons.ts';
import { STOPS } from '../../reporting/samples.ts';

test.each(Object.values(STOPS))('$reason fits into a title, as a clause', ({ action }) => {
  expect(briefReason(action.because)).toMatch(/^[a-z][^:;(]{5,68}[^:;(,. ]$/);
});

test('a reason whose sentence is too long for a title has short words of its own', () => {
  expect(briefReason('failover')).toBe("a failover, or the node's role has changed");
  expect(briefReason('persistence-failing')).toBe('the server fails to save its data');
});
