import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stageClaims } from '../../../../core/actions/stage-claims.ts';
import { readStageDocument, STAGE_KIND } from '../../../../core/actions/stage-document.ts';
import { claim, ENTRY_KIND, pendingOf, settle } from '../../../../core/alerts/outbox-entries.ts';
import { nodeAddress } from '../../../../core/config/address.ts';
import { instanceId } from '../../../../core/config/schema.ts';
import type { Lease } from '../../../../core/domain/lease.ts';
import { withAction } from '../../../../core/domain/node-history.ts';
import { LEASE_KIND } from '../../../../core/leases/lease-document.ts';
import { quarantine, renewLease } from '../../../../core/leases/lease-store.ts';
import { keepRecord, RECORD_KIND, renewRecord } from '../../../../core/leases/records.ts';
import { type StateStore, StateUnavailable } from '../../../../core/ports/state-store.ts';
import { followServers } from '../../../../core/reconcile/follow-histories.ts';
import { readState } from '../../../../core/reconcile/snapshot.ts';
import type { DocumentKind } from '../../../../core/state/codec.ts';
import { COUNTERS_KIND, readCounters, writeCounters } from '../../../../core/state/counters.ts';
import {
  COUNTERS,
  historyKey,
  leaseKey,
  NAMED_NODES,
  OUTBOX,
  PAUSE,
  quarantineKey,
  recordKey,
  runKey,
  STAGE_DOCUMENT,
} from '../../../../core/state/keys.ts';
import { NAMED_KIND, readNamedNodes, writeNamedNodes } from '../../../../core/state/named-nodes.ts';
import { HISTORY_KIND, updateHistory } from '../../../../core/state/node-history.ts';
import { noteNodes, PAUSE_KIND, readPauses } from '../../../../core/state/pauses.ts';
import { noteRun, RUN_KIND } from '../../../../core/state/runs.ts';
import { aStore } from '../../../model/store.ts';
import { aLease, NOW, RUN_ID } from '../../../support/builders.ts';
import { anAlert } from '../../../support/telemetry-builders.ts';

/** Every kind of stored document. */
const DOCUMENT_KINDS = {
  lease: LEASE_KIND,
  history: HISTORY_KIND,
  record: RECORD_KIND,
  pause: PAUSE_KIND,
  stage: STAGE_KIND,
  outbox: ENTRY_KIND,
  counters: COUNTERS_KIND,
  run: RUN_KIND,
  named: NAMED_KIND,
} as const;
const NODE = aLease().node;
const COUNTERS_KEY = COUNTERS + createHash('sha256').update(NODE).digest('hex').slice(0, 32);
const LATER = { from: 'a later version', nested: [{ deep: true }] };
const log = { info: () => {}, warn: () => {}, error: () => {} };
const clock = { now: () => NOW };

interface Case {
  readonly key: string;
  /** As version 0.1 may have written it, with no schema. */
  readonly document: Readonly<Record<string, unknown>>;
  /** Where objects within it may have got fields of their own. */
  readonly inner?: readonly string[];
  /** Each of the ways in which the job rewrites it. */
  readonly rewrites: Readonly<Record<string, (store: StateStore) => Promise<unknown>>>;
  /** The key after a rewrite, where it is another. */
  readonly movesTo?: Readonly<Record<string, string>>;
}

async function heldLease(store: StateStore) {
  const { leases, unreadable } = await readState(store, [NODE]);
  const held = leases.get('sessions');
  if (!held) throw new StateUnavailable([...unreadable.values()].join());
  return held;
}

async function claimed(store: StateStore) {
  const key = `${OUTBOX}one`;
  const stored = await store.read(key);
  if (!stored) throw new Error('not there');
  const owed = await claim(store, pendingOf(key, stored), { holder: 'b', now: NOW, digest: 'd' });
  if (typeof owed !== 'object') throw new Error(`not claimed: ${owed}`);
  return owed;
}

const { status: _, ...lease } = aLease();
const CASES: Readonly<Record<keyof typeof DOCUMENT_KINDS, Case>> = {
  lease: {
    key: leaseKey('sessions'),
    document: { ...lease },
    inner: ['progress', 'before', 'predicted'],
    rewrites: {
      renewed: async (store) => {
        const held = await heldLease(store);
        // From its known fields alone.
        await renewLease(store, held, aLease({ busyUntil: NOW }));
      },
      quarantined: async (store) => await quarantine(store, await heldLease(store)),
    },
    movesTo: { quarantined: quarantineKey(aLease()) },
  },
  history: {
    key: historyKey(NODE),
    document: { runId: RUN_ID, learned: { keptPages: 1 }, byAction: { purge: { ineffective: 0 } } },
    inner: ['learned'],
    rewrites: {
      updated: (store) => updateHistory(store, NODE, () => ({ learned: {}, byAction: { purge: { ineffective: 1 } } })),
      'moved with its server': async (store) => {
        const state = await readState(store, [NODE]);
        const followed = await followServers(state, new Map([['b:6379', RUN_ID]]), { store, log }, { isKept: true });
        const obstacle = followed.obstacle('sessions', NODE);
        if (obstacle !== undefined) throw new StateUnavailable(obstacle);
      },
    },
    movesTo: { 'moved with its server': historyKey('b:6379') },
  },
  record: {
    key: recordKey(NODE),
    document: {
      instance: 'sessions',
      node: NODE,
      runId: RUN_ID,
      acquiredAt: NOW,
      expiresAt: NOW,
      prior: { hz: '10' },
      applied: { hz: '500' },
    },
    rewrites: {
      'kept anew': (store) => keepRecord(store, aLease()),
      renewed: async (store) => {
        const [held] = (await readState(store, [NODE])).records;
        if (!held) throw new StateUnavailable('unreadable');
        const { instance, node, runId, acquiredAt, expiresAt, prior, applied } = held.record;
        await renewRecord(store, held, { instance, node, runId, acquiredAt, expiresAt, prior, applied, holder: 'me' });
      },
    },
  },
  pause: {
    key: `${PAUSE}sessions`,
    document: { until: NOW + 1, reason: 'load test', by: 'alice', at: NOW },
    rewrites: {
      'noted with its nodes': async (store) =>
        await noteNodes(store, await readPauses(store), [{ id: 'sessions', nodes: [{ id: NODE }] }], log),
    },
  },
  stage: {
    key: STAGE_DOCUMENT,
    document: { claims: [], falls: [] },
    rewrites: {
      claimed: async (store) => {
        const known = { leases: [], unreadable: [], placements: new Map(), looks: [] };
        const claims = stageClaims({ store, clock }, { limit: 4, document: await readStageDocument(store), ...known });
        expect(await claims.claim(aLease())).toEqual([]);
      },
    },
  },
  outbox: {
    key: `${OUTBOX}one`,
    document: { alert: { ...anAlert() }, entrustedAt: NOW, holder: 'a', heldUntil: NOW, sendings: 0 },
    inner: ['alert'],
    rewrites: {
      claimed,
      'sent in vain': async (store) => await settle(store, await claimed(store), false),
    },
  },
  counters: {
    // By the hash of its node.
    key: COUNTERS_KEY,
    document: { nodes: { [NODE]: { at: NOW, runId: RUN_ID, commands: 7, cpuSeconds: 0.5 } } },
    rewrites: {
      'those of the next tick': async (store) =>
        await writeCounters(store, await readCounters(store, [NODE]), new Map([[NODE, { at: NOW }]])),
    },
  },
  run: {
    key: runKey(RUN_ID),
    document: { node: 'b:6379' },
    rewrites: { 'noted at another address': (store) => noteRun(store, RUN_ID, NODE) },
  },
  named: {
    key: NAMED_NODES,
    document: { nodes: gzipSync(JSON.stringify([NODE])).toString('base64') },
    rewrites: {
      'those of the next tick': async (store) => {
        const before = await readNamedNodes(store);
        expect(before.nodes).toEqual([NODE]);
        await writeNamedNodes(store, before, [NODE, 'b:6379']);
        expect((await readNamedNodes(store)).nodes).toEqual([NODE, 'b:6379']);
      },
    },
  },
};

const names = Object.keys(CASES) as (keyof typeof CASES)[];
const ways = names.flatMap((name) => Object.keys(CASES[name].rewrites).map((way) => [name, way] as const));

function withFields({ document, inner = [] }: Case): Record<string, unknown> {
  const deeper = inner.map((field) => [field, { ...Object(document[field]), later: LATER }]);
  return { ...document, ...Object.fromEntries(deeper), later: LATER };
}

describe('every kind of stored document', () => {
  test.each(ways)('%s %s: keeps the fields of a newer version, and carries its schema', async (name, way) => {
    const one = CASES[name];
    const { store, documents } = aStore();
    await store.write(one.key, withFields(one), undefined);
    await one.rewrites[way]?.(store);
    const rewritten = Object(documents.get(one.movesTo?.[way] ?? one.key)?.value);
    const kind: DocumentKind<object> = DOCUMENT_KINDS[name];
    expect(rewritten).toMatchObject({ schema: kind.schema, later: LATER });
    for (const field of one.inner ?? []) expect(rewritten[field], field).toMatchObject({ later: LATER });
    expect(rewritten).not.toEqual(withFields(one));
  });

  const others = ways.filter(([name]) => name !== 'lease');
  test.each(others)('%s %s: one of a newer schema is not read, and stays as it is', async (name, way) => {
    const one = CASES[name];
    const { store, documents } = aStore();
    const newer = { ...withFields(one), schema: DOCUMENT_KINDS[name].schema + 1 };
    await store.write(one.key, newer, undefined);
    const outcome = await Promise.resolve(one.rewrites[way]?.(store)).catch((error: unknown) => error);
    if (outcome instanceof Error) expect(outcome).toBeInstanceOf(StateUnavailable);
    expect([...documents.keys()]).toEqual([one.key]);
    expect(documents.get(one.key)?.value).toEqual(newer);
  });

  test.each(names.filter((name) => name !== 'lease'))(
    '%s: a schema that is no number is refused, too',
    async (name) => {
      const { store } = aStore();
      await store.write(CASES[name].key, { ...CASES[name].document, schema: 'two' }, undefined);
      if (name === 'outbox') {
        const stored = await store.read(CASES.outbox.key);
        expect(() => stored && pendingOf(CASES.outbox.key, stored)).toThrow(/of a newer version of Offpeak/);
        return;
      }
      if (name === 'run') {
        // Found by their address, the documents count all the same.
        await noteRun(store, RUN_ID, NODE);
        expect((await store.read(CASES.run.key))?.value).toMatchObject({ node: 'b:6379', schema: 'two' });
        return;
      }
      if (name === 'named') {
        await expect(readNamedNodes(store)).rejects.toThrow(/of a newer version of Offpeak/);
        return;
      }
      if (name === 'counters') {
        await expect(readCounters(store, [NODE])).rejects.toThrow(/of a newer version of Offpeak/);
        return;
      }
      const state = await readState(store, [NODE]);
      expect([state.obstacle('sessions', NODE), ...state.unreadable.values()].join()).toMatch(
        /of a newer version of Offpeak/,
      );
    },
  );
});

describe('a lease', () => {
  test.each([2, 'two'])('of another schema, %j, is ended by what gives it back', async (schema) => {
    const { store } = aStore();
    await store.write(leaseKey('sessions'), { ...aLease(), schema, later: LATER }, undefined);
    const { lease } = await heldLease(store);
    const { prior, applied } = aLease();
    expect(lease).toMatchObject({ phase: 'closing', closing: 'newer-version', prior, applied, later: LATER });
  });

  test.each<readonly [what: string, key: string, status: Lease['status'] | undefined, isQuarantined: boolean]>([
    ['of version 0.1', leaseKey('sessions'), undefined, false],
    ['of version 0.1, set aside', quarantineKey(aLease()), undefined, true],
    ['that is active', leaseKey('sessions'), 'active', false],
    ['that is quarantined', quarantineKey(aLease()), 'quarantined', true],
    ['that version 0.1 has set aside, though a later version had written it', quarantineKey(aLease()), 'active', true],
    ['that is quarantined, whatever its key is', leaseKey('sessions'), 'quarantined', true],
  ])('%s', async (_what, key, status, isQuarantined) => {
    const { store } = aStore();
    await store.write(key, { ...lease, ...(status && { status }) }, undefined);
    const { leases, quarantined } = await readState(store, [NODE]);
    expect([leases.size, quarantined.length]).toEqual(isQuarantined ? [0, 1] : [1, 0]);
    expect([...leases.values(), ...quarantined][0]?.lease.status).toBe(isQuarantined ? 'quarantined' : 'active');
  });
});

test('what version 0.1 has noted as reported is not reported again', async () => {
  const { store, documents } = aStore();
  const { document, key } = CASES.history;
  await store.write(key, { ...document, told: ['foreign-defrag'] }, undefined);
  expect((await readState(store, [NODE])).historyOf(NODE).notified).toEqual(['foreign-defrag']);
  await updateHistory(store, NODE, (history) => history);
  expect(documents.get(key)?.value).toEqual({ ...document, schema: 2, notified: ['foreign-defrag'] });
});

test('what version 0.1 knew of a purge and a defrag is the history of each action', async () => {
  const { store, documents } = aStore();
  const { key } = CASES.history;
  const times = { lastPurgeAt: 1, purgeKnownAt: 2, purgeRefusedAt: 3, lastDefragAt: 4, restUntil: 5 };
  await store.write(key, { learned: {}, ...times, ineffective: { purge: 1, defrag: 2 } }, undefined);
  await updateHistory(store, NODE, (history) => withAction(history, 'purge', { lastAt: 6 }));
  expect(documents.get(key)?.value).toEqual({
    schema: 2,
    learned: {},
    byAction: {
      purge: { lastAt: 6, knownAt: 2, refusedAt: 3, ineffective: 1 },
      defrag: { lastAt: 4, restUntil: 5, ineffective: 2 },
    },
  });
});

test('a field of a newer version in the history of an action is kept', async () => {
  const { store, documents } = aStore();
  const { key } = CASES.history;
  const byAction = { purge: { ineffective: 0, later: 1 }, 'flush-scripts': { ineffective: 3 } };
  await store.write(key, { schema: 2, learned: {}, byAction }, undefined);
  await updateHistory(store, NODE, (history) => withAction(history, 'purge', { lastAt: 6 }));
  expect(documents.get(key)?.value).toMatchObject({
    byAction: { purge: { lastAt: 6, ineffective: 0, later: 1 }, 'flush-scripts': { ineffective: 3 } },
  });
});

describe('keys', () => {
  const id = fc.stringMatching(/^[a-z][a-z0-9-]{0,39}$/);
  const address = fc
    .tuple(
      fc.oneof(
        fc.domain(),
        fc.ipV4(),
        fc.ipV6().map((ip) => `[${ip}]`),
      ),
      fc.integer({ min: 1, max: 65_535 }),
    )
    .map(([host, port]) => new URL(`redis://${host}:${port}`).host);
  const runId = fc.stringMatching(/^[0-9a-f]{40}$/);

  test('of two documents are never the same, whatever instances, nodes and runs are called', () => {
    fc.assert(
      fc.property(id, id, address, runId, (instance, other, node, run) => {
        const keys = [
          leaseKey(instance),
          quarantineKey({ instance, runId: run }),
          historyKey(node),
          runKey(run),
          recordKey(node),
          `${PAUSE}${instance}`,
          `${PAUSE}*`,
          STAGE_DOCUMENT,
        ];
        expect(new Set(keys).size).toBe(keys.length);
        expect(leaseKey(other) === quarantineKey({ instance, runId: run })).toBe(false);
      }),
    );
  });

  test.each(['#', '~', 'a#b', 'a~b'])('no instance and no host is called %s', (name) => {
    expect(instanceId.safeParse(name).success).toBe(false);
    expect(nodeAddress().safeParse(`redis://${name}:6379`).success).toBe(false);
  });
});
