import { expect, test } from 'vitest';
import type { Unreached } from '../../../../core/domain/outcome.ts';
import type { Tick } from '../../../../core/reconcile/scope.ts';
import { failIfUnexpected, MaintenanceFailed } from '../../../../core/reconcile/summary.ts';
import { metricsOf } from '../../../../core/reporting/metrics.ts';
import { aTick } from '../../../support/builders.ts';

const outcomeOf = (kind: Unreached['kind']): Unreached => ({
  instance: 'carts',
  node: '10.0.0.5:6379',
  kind,
  problem: { kind, message: 'tls.ca: the file ca.pem is empty', expected: true },
  leased: false,
  notices: [],
});

const tickOf = (kind: Unreached['kind']): Tick => aTick({ outcomes: [outcomeOf(kind)] });

test.each(['config-problem', 'not-data-node'] as const)(
  '%s: the invocation fails, and no metric says anything of the node',
  (kind) => {
    expect(() => failIfUnexpected([tickOf(kind)])).toThrow(MaintenanceFailed);
    expect(() => failIfUnexpected([tickOf(kind)])).toThrow('carts 10.0.0.5:6379: tls.ca: the file ca.pem');
    const input = { stage: 'prod', startedAt: 0, finishedAt: 1, instances: [], outcomes: [outcomeOf(kind)] };
    const values = Object.fromEntries(metricsOf(input).map(({ name, value }) => [name, value]));
    expect(values).toMatchObject({ NodesMisconfigured: 1, NodesFailed: 0, NodesObserved: 0, NodesUnreachable: 0 });
    expect(values).not.toHaveProperty('Reachable');
  },
);

test('a server that does not answer fails no invocation, and is unreachable', () => {
  expect(() => failIfUnexpected([tickOf('unreachable')])).not.toThrow();
  const input = { stage: 'prod', startedAt: 0, finishedAt: 1, instances: [], outcomes: [outcomeOf('unreachable')] };
  const values = Object.fromEntries(metricsOf(input).map(({ name, value }) => [name, value]));
  expect(values).toMatchObject({ Reachable: 0, NodesUnreachable: 1, NodesFailed: 0, NodesMisconfigured: 0 });
});
