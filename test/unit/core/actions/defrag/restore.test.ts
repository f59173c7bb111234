import { expect, test } from 'vitest';
import { restoration } from '../../../../../core/actions/defrag/restore.ts';
import { aLease } from '../../../../support/builders.ts';

const LEASE = aLease({
  applied: { 'active-defrag-cycle-max': '25', activedefrag: 'yes' },
  prior: { 'active-defrag-cycle-max': '75', activedefrag: 'no' },
});

test('a setting that holds the value of the lease gets its prior one, the switch first', () => {
  const { restore, leftAlone } = restoration(LEASE, LEASE.applied);
  expect(Object.entries(restore)).toEqual([
    ['activedefrag', 'no'],
    ['active-defrag-cycle-max', '75'],
  ]);
  expect(leftAlone).toEqual({});
});

test('a setting that a person has changed since stays, and is named', () => {
  const { restore, leftAlone } = restoration(LEASE, { 'active-defrag-cycle-max': '40', activedefrag: 'yes' });
  expect(restore).toEqual({ activedefrag: 'no' });
  expect(leftAlone).toEqual({ 'active-defrag-cycle-max': '40' });
});

test('a setting that has its prior value already is left as it is', () => {
  expect(restoration(LEASE, LEASE.prior)).toEqual({ restore: {}, leftAlone: {} });
});

test('where the server does not say what it holds, everything is restored', () => {
  expect(restoration(LEASE, {}).restore).toEqual(LEASE.prior);
});

test('a setting whose prior value is unknown is not touched', () => {
  const lease = aLease({ applied: LEASE.applied, prior: { activedefrag: 'no' } });
  expect(restoration(lease, LEASE.applied).restore).toEqual({ activedefrag: 'no' });
});
