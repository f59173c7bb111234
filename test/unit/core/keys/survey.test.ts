import { expect, test } from 'vitest';
import { type NodeSurvey, surveyInstance } from '../../../../core/keys/survey.ts';
import type { KeyReader } from '../../../../core/ports/key-reader.ts';
import { NodeFailure, type OpenSession, type Session } from '../../../../core/ports/node-session.ts';
import { anInstance, anObservation } from '../../../support/builders.ts';
import { aSpace } from './key-builders.ts';

interface Server {
  readonly role: 'primary' | 'replica';
  readonly dataset?: string;
  readonly isForking?: true;
  readonly isGone?: true;
}

const clock = { now: () => 0, elapsed: () => 0, sleep: async () => {}, pause: async () => {} };

/** Nodes `a:1`, `b:1`, … as servers that answer, and which of them were drawn from and closed. */
function fleetOf(servers: Readonly<Record<string, Server>>) {
  const seen = { drawn: new Set<string>(), closed: 0 };
  const open: OpenSession = async (_, node) => {
    const server = servers[node.id];
    if (!server || server.isGone) throw new NodeFailure('unreachable', `${node.id} cannot be reached`);
    const { role, dataset, isForking = false } = server;
    const observation = anObservation({
      node: node.id,
      runId: node.id,
      replication: { role, replicasSyncing: 0 },
      persistence: { rdbBgsaveInProgress: isForking },
    });
    const reader: KeyReader = {
      space: aSpace({ databases: [{ index: 0, keys: 20, expires: 0 }], ...(dataset !== undefined && { dataset }) }),
      way: 0,
      sent: 0,
      spent: async () => undefined,
      async draw(_, count) {
        seen.drawn.add(node.id);
        return {
          facts: Array.from({ length: count }, (_, i) => ({ name: `k:${i}`, type: 'set' })),
          vanished: 0,
          waits: [],
        };
      },
    };
    return {
      look: async () => observation,
      keys: async () => reader,
      close: () => seen.closed++,
    } as unknown as Session;
  };
  const nodes = Object.keys(servers).map((id) => ({ id, host: id, port: 1, tls: false }));
  const survey = async (interrupted = false) => {
    const options = { samples: 100, duration: 1000, budget: 0.5, readValues: false, interrupted: () => interrupted };
    const all: NodeSurvey[] = [];
    for await (const one of surveyInstance(anInstance({ nodes }), { open, clock }, options)) all.push(one);
    return all.map(({ node, result }) => [node, result.kind, ...('as' in result ? [result.as] : [])].join(' '));
  };
  return { seen, survey };
}

test('of a replication group a replica is sampled, and nothing else', async () => {
  const { seen, survey } = fleetOf({
    a: { role: 'primary', dataset: 'x' },
    b: { role: 'replica', dataset: 'x' },
    c: { role: 'replica', dataset: 'x' },
  });
  expect(await survey()).toEqual(['b sampled', 'c same-data b', 'a same-data b']);
  expect([...seen.drawn]).toEqual(['b']);
  expect(seen.closed).toBe(3);
});

test('a replica at which a guard objects is passed over, down to the primary', async () => {
  const { seen, survey } = fleetOf({
    a: { role: 'primary', dataset: 'x' },
    b: { role: 'replica', dataset: 'x', isForking: true },
  });
  expect(await survey()).toEqual(['b sampled', 'a sampled']);
  expect([...seen.drawn]).toEqual(['a']);
});

test('each shard of a Cluster is sampled, one that does not answer is named, and servers without a dataset stand alone', async () => {
  const { survey } = fleetOf({
    a: { role: 'primary', dataset: 'x' },
    b: { role: 'primary', dataset: 'y' },
    c: { role: 'primary', isGone: true },
    d: { role: 'primary' },
    e: { role: 'primary' },
  });
  expect(await survey()).toEqual(['c failed', 'a sampled', 'b sampled', 'd sampled', 'e sampled']);
});

test('an interruption leaves out what is to come', async () => {
  const { seen, survey } = fleetOf({ a: { role: 'primary', dataset: 'x' } });
  expect(await survey(true)).toEqual(['a interrupted']);
  expect(seen.drawn.size).toBe(0);
});
