import { expect, test } from 'vitest';
import { GIB, MIB } from '../../../../core/config/units.ts';
import { loadCounters } from '../../../../core/diagnosis/load.ts';
import type { Observation } from '../../../../core/domain/observation.ts';
import { samplingBlocker } from '../../../../core/guards/sampling.ts';
import { anEngine, anInstance, anObservation, NOW } from '../../../support/builders.ts';

const primary = { role: 'primary', replicasSyncing: 0 } as const;

test.each<readonly [what: string, seen: Partial<Observation>, kind: string]>([
  ['a fork', { persistence: { rdbBgsaveInProgress: true } }, 'forking'],
  ['loading', { persistence: { loading: true } }, 'loading'],
  ['a failover', { replication: { ...primary, failoverInProgress: true } }, 'failover'],
  ['a full sync', { replication: { ...primary, replicasSyncing: 1 } }, 'feeding-full-sync'],
  [
    'a replica without its primary',
    { replication: { ...primary, role: 'replica', primaryLinkUp: false } },
    'replica-syncing',
  ],
])('keys are not sampled during %s', (_, seen, kind) => {
  expect(samplingBlocker(anObservation(seen), anInstance())?.kind).toBe(kind);
});

test('nor on a busy server', () => {
  const earlier = loadCounters(anObservation({ at: NOW - 1000 }));
  const busy = anObservation({ activity: { ownCommands: 10, totalCommandsProcessed: 50_000, cpuSeconds: 121.4 } });
  expect(samplingBlocker(busy, anInstance(), earlier)?.kind).toBe('busy');
  expect(samplingBlocker(anObservation({ at: NOW }), anInstance(), earlier)).toBeUndefined();
});

test('nor near the limit', () => {
  const near = samplingBlocker(anObservation(), anInstance({ memoryLimit: 900 * MIB }));
  expect(near).toEqual({ kind: 'near-limit', rss: 841 * MIB, limit: 900 * MIB });
  expect(samplingBlocker(anObservation(), anInstance({ memoryLimit: 4 * GIB }))).toBeUndefined();
});

test('what reading cannot make worse is no reason', () => {
  const seen = anObservation({ engine: anEngine({ name: 'unknown' }), persistence: { saves: false } });
  expect(samplingBlocker(seen, anInstance())).toBeUndefined();
});
