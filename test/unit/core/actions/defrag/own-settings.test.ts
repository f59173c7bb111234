import { describe, expect, test } from 'vitest';
import { ownSettings } from '../../../../../core/actions/defrag/own-settings.ts';
import { SECOND } from '../../../../../core/config/units.ts';
import { aLease, anObservation } from '../../../../support/builders.ts';

const PRIOR = { activedefrag: 'no', hz: '10', 'active-defrag-cycle-max': '25', 'active-defrag-ignore-bytes': '100' };
const APPLIED = { activedefrag: 'yes', hz: '500', 'active-defrag-cycle-max': '7', 'active-defrag-ignore-bytes': '7' };
const AT = 1_800_000_000_000;
const RECORD = aLease({ runId: 'earlier', acquiredAt: AT - 5 * SECOND, prior: PRIOR, applied: APPLIED });
const seen = (over: { readonly runId?: string; readonly uptime?: number } = {}, settings = APPLIED) =>
  anObservation({ at: AT, runId: 'restarted', uptime: 1 * SECOND, ...over, defrag: { running: 0, settings } });

describe('whose the settings are that stand on a server without a lease', () => {
  test('the record of its earlier lease, after a restart', () => {
    expect(ownSettings(seen(), RECORD)).toEqual({ standing: APPLIED, by: 'record' });
  });

  test('the record says so on the very process of the lease, whatever its age', () => {
    expect(ownSettings(seen({ runId: 'earlier', uptime: 9000 * SECOND }), RECORD)?.by).toBe('record');
  });

  // INFO's uptime is the difference of two whole seconds: a server that is up for 0.5 s may say 1.
  test.each([
    [5, 'record'],
    [6, undefined],
    [9000, undefined],
  ])('a process up for %d s by its INFO, where the lease began 5 s ago: by %s', (seconds, by) => {
    expect(ownSettings(seen({ uptime: seconds * SECOND }), RECORD)?.by).toBe(by);
  });

  test('where CONFIG GET is refused, nothing is known', () => {
    expect(ownSettings(anObservation({ at: AT, defrag: { running: 0 } }), RECORD)).toBeUndefined();
  });

  test('one value besides the switch may be what a person wants', () => {
    expect(ownSettings(seen({}, { ...PRIOR, activedefrag: 'yes', 'active-defrag-cycle-max': '7' }), RECORD)).toBe(
      undefined,
    );
  });

  test('what has been restored on this process, and stands again, a person has set: it is only reported', () => {
    expect(ownSettings(seen(), { ...RECORD, givenBackOn: 'restarted' })?.by).not.toBe('record');
  });
});
