import { MIB, MINUTE } from '../../core/config/units.ts';
import { firstCheck } from '../../core/managed/judge.ts';
import type { GroupLease } from '../../core/managed/lease.ts';
import { anObservation, NOW } from './builders.ts';

/** A run on the parameter group `own`, which serves one node. */
export function aGroupLease(over: Partial<GroupLease> = {}): GroupLease {
  return {
    ...{ service: 'elasticache', region: 'eu-west-1', group: 'own', phase: 'running', clusters: ['a'] },
    nodes: [firstCheck('sessions', anObservation({ at: NOW - MINUTE }))],
    prior: { activedefrag: { value: 'no', source: 'engine-default' } },
    applied: { activedefrag: 'yes', 'active-defrag-ignore-bytes': '10485760', 'active-defrag-threshold-lower': '1' },
    ...{ acquiredAt: NOW - 10 * MINUTE, expiresAt: NOW + MINUTE, holder: 'job', busyUntil: 0 },
    ...{ predicted: 300 * MIB, stall: 5, cpu: 5 },
    ...over,
  };
}
