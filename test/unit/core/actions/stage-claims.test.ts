import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SwitchedNode } from '../../../../core/actions/acting-leases.ts';
import { stageClaims } from '../../../../core/actions/stage-claims.ts';
import { readStageDocument, type StageDocument } from '../../../../core/actions/stage-document.ts';
import type { Known } from '../../../../core/actions/stage-known.ts';
import { MINUTE, SECOND } from '../../../../core/config/units.ts';
import type { Lease } from '../../../../core/domain/lease.ts';
import { NIGHT } from '../../../../core/guards/canary.ts';
import { outageOf, roomBlockers } from '../../../../core/guards/stage-limits.ts';
import { dropLease, type HeldLease, renewLease, takeLease } from '../../../../core/leases/lease-store.ts';
import type { StateStore } from '../../../../core/ports/state-store.ts';
import type { ReachedNode, UnreachedNode } from '../../../../core/reconcile/observe-fleet.ts';
import { readState } from '../../../../core/reconcile/snapshot.ts';
import { leaseKey, lifetimeOf, quarantineKey, STAGE_DOCUMENT } from '../../../../core/state/keys.ts';
import { aStore } from '../../../model/store.ts';
import { aLease, anInstance, anObservation, NOW, RUN_ID } from '../../../support/builders.ts';

// F8, on the store: how many at once, one of a host, none of a version that fell; for jobs that know nothing of each other.

const ENGINE = { name: 'redis', version: '7.0.15' } as const;

function aNewLease(instance: string, over: Partial<Lease> = {}): Lease {
  const node = `${instance}.redis.example:6379`;
  const runId = instance.padEnd(40, '0');
  const { progress } = aLease();
  const taken = { phase: 'taking', busyUntil: NOW + 15 * SECOND, progress: { ...progress, at: NOW } } as const;
  return aLease({ instance, node, runId, engine: ENGINE, ...taken, ...over });
}

function aPlace() {
  const { store, documents, trouble } = aStore();
  const clock = { at: NOW, now: () => clock.at };
  /** What a job knows as its tick begins. */
  const job = async (over: Partial<Known> = {}, through: StateStore = store) => {
    const state = await readState(store, []);
    if (typeof state.stageDocument === 'string') throw new Error(state.stageDocument);
    const leases = [...state.leases.values(), ...state.quarantined];
    return stageClaims(
      { store: through, clock },
      { limit: 4, document: state.stageDocument, leases, unreadable: [], placements: new Map(), looks: [], ...over },
    );
  };
  const falls = async () => (await readStageDocument(store)).falls;
  return { store, documents, trouble, clock, job, falls };
}

const seen = (lease: Lease, over = {}): ReachedNode => ({
  instance: anInstance({ id: lease.instance }),
  node: { id: lease.node, host: lease.node.split(':')[0] ?? '', port: 6379, tls: false },
  observation: anObservation({ node: lease.node, runId: lease.runId, at: NOW, ...over }),
});

const unseen = (lease: Lease, kind = 'timeout'): UnreachedNode => {
  const { instance, node } = seen(lease);
  return { instance, node, problem: { kind, message: kind, expected: true } };
};

const homeOf = (held: HeldLease) => new Map([[held.lease.node, held]]);

async function held(store: StateStore, lease: Lease): Promise<HeldLease> {
  const taken = await takeLease(store, lease);
  if (!taken) throw new Error('not taken');
  return taken;
}

describe('F8: so many nodes of a stage at once', () => {
  test('of a hundred instances that one job tends side by side, four start', async () => {
    const { job, store } = aPlace();
    const brakes = await job();
    const outcomes = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const lease = aNewLease(`instance-${index}`);
        const blockers = await brakes.claim(lease);
        if (blockers.length === 0) await takeLease(store, lease);
        return blockers;
      }),
    );
    expect(outcomes.filter((blockers) => blockers.length === 0)).toHaveLength(4);
    expect(outcomes.at(-1)).toEqual([
      {
        kind: 'stage-limit',
        limit: 4,
        nodes: [0, 1, 2, 3].map((index) => `instance-${index}.redis.example:6379`),
      },
    ]);
    expect((await store.list('lease#')).size).toBe(4);
  });

  describe('of one discovered group', () => {
    const carts = { name: 'carts', limit: 2, isProven: true };
    const start = async (job: Awaited<ReturnType<ReturnType<typeof aPlace>['job']>>, id: string, group = carts) =>
      await job.claim(aNewLease(id), group);

    test('so many shards act at once, whatever their names are by now', async () => {
      const { job, store } = aPlace();
      await held(store, aNewLease('carts/0001'));
      const first = await job();
      expect(await start(first, 'carts/0002')).toEqual([]);
      const nodes = ['carts/0001', 'carts/0002'].map((id) => `${id}.redis.example:6379`);
      const blocker = { kind: 'group-limit', group: 'carts', limit: 2, nodes };
      expect(await start(first, 'carts/0003')).toEqual([blocker]);
      // Another job has not seen the claim; a shard of another group is free.
      const second = await job();
      expect(await start(second, 'carts/0003')).toEqual([blocker]);
      expect(await start(second, 'other/0001', { ...carts, name: 'other' })).toEqual([]);
    });

    test('by the group that a node is in now, where its lease has the name of before', async () => {
      const { job, store } = aPlace();
      const before = await held(store, aNewLease('old/0001'));
      const groups = new Map([[before.lease.node, 'carts']]);
      const one = { ...carts, limit: 1 };
      expect(await (await job({ groups })).claim(aNewLease('carts/0002'), one)).toMatchObject([
        { kind: 'group-limit' },
      ]);
      expect(await (await job()).claim(aNewLease('carts/0002'), one)).toEqual([]);
    });

    test('one is the canary of all, until a run has ended; a purge needs none', async () => {
      const { job } = aPlace();
      const unproven = { ...carts, limit: 9, isProven: false };
      const jobOfNight = await job();
      expect(await start(jobOfNight, 'carts/0001', unproven)).toEqual([]);
      expect(await start(jobOfNight, 'carts/0002', unproven)).toMatchObject([
        { kind: 'group-limit', limit: 1, isCanary: true, nodes: ['carts/0001.redis.example:6379'] },
      ]);
      expect(await jobOfNight.claim(aNewLease('carts/0002', { phase: 'purging' }), unproven)).toEqual([]);
      expect(await start(jobOfNight, 'carts/0003', { ...unproven, isProven: true })).toEqual([]);
    });

    test('a lease that cannot be read counts in its group', async () => {
      const { job } = aPlace();
      const brakes = await job({ unreadable: [leaseKey('carts/0007')] });
      expect(brakes.seen().acting).toMatchObject([{ group: 'carts' }]);
    });
  });

  describe('of one parameter group, which switches all of its nodes at once', () => {
    const nodes = ['a:6379', 'b:6379', 'c:6379'];
    const by = { holder: 'group', busyUntil: NOW + 15 * SECOND };
    const switching = nodes.map((node) => ({ node, engine: ENGINE }));

    test.each([
      ['room for all', 1, []],
      ['room for some', 2, [{ kind: 'stage-limit', limit: 4, nodes: ['x0:6379', 'x1:6379'] }]],
    ] as const)('%s', (_, others, blockers) => {
      const acting = Array.from({ length: others }, (_, index) => ({ node: `x${index}:6379`, isDefrag: true }));
      const limits = { limit: 4, acting: [...acting, { node: 'y:6379', isDefrag: false }], falls: [] };
      expect(roomBlockers(limits, nodes)).toEqual(blockers);
      // Its own claims of before take no places of its own.
      const again = [...limits.acting, ...nodes.map((node) => ({ node, isDefrag: true }))];
      expect(roomBlockers({ ...limits, acting: again }, nodes)).toEqual(blockers);
    });

    test('its claim takes a place for each; a node that another job wants finds none left', async () => {
      const { job } = aPlace();
      const [first, second] = [await job({ limit: 4 }), await job({ limit: 4 })];
      expect(await first.claimAll(switching, by)).toEqual([]);
      expect(await second.claim(aNewLease('one'))).toEqual([]);
      expect(await second.claim(aNewLease('two'))).toMatchObject([{ kind: 'stage-limit', limit: 4 }]);
      const another = [{ node: 'd:6379', engine: ENGINE }];
      expect(await second.claimAll(another, { ...by, holder: 'other' })).toMatchObject([{ kind: 'stage-limit' }]);
    });

    test('while it is switched its nodes count, also for a job that began before; then no more', async () => {
      const { job } = aPlace();
      let switched = nodes.map((node) => ({ node, holder: 'group', isDefrag: true }));
      const known = { limit: 4, switched: { seen: [], falls: [], now: async () => switched } };
      const one = await job(known);
      expect(one.seen().acting).toEqual([]);
      expect(await one.claim(aNewLease('one'))).toEqual([]);
      expect(await one.claim(aNewLease('two'))).toMatchObject([{ kind: 'stage-limit' }]);
      expect((await job({ ...known, switched: { ...known.switched, seen: switched } })).seen().acting).toHaveLength(4);
      switched = [];
      expect(await one.claim(aNewLease('two'))).toEqual([]);
    });
  });

  test('whatever two jobs do in whatever order, never more leases stand than may, and as many as may', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 1, max: 3 }), async (scheduler, limit) => {
        const { store, documents, job } = aPlace();
        let most = 0;
        const count = () => [...documents.keys()].filter((key) => key.startsWith('lease#')).length;
        const through: StateStore = {
          list: scheduler.scheduleFunction((prefix) => store.list(prefix)),
          read: scheduler.scheduleFunction((key) => store.read(key)),
          readAll: scheduler.scheduleFunction((keys) => store.readAll(keys)),
          write: scheduler.scheduleFunction(async (key, value, expected) => {
            const written = await store.write(key, value, expected);
            most = Math.max(most, count());
            return written;
          }),
          remove: scheduler.scheduleFunction((key, expected) => store.remove(key, expected)),
        };
        const jobs = await Promise.all([job({ limit }, through), job({ limit }, through)]);
        const starts = jobs.flatMap((brakes, index) =>
          [0, 1, 2].map(async (nth) => {
            const lease = aNewLease(`job-${index}-${nth}`);
            if ((await brakes.claim(lease)).length === 0) await takeLease(through, lease);
          }),
        );
        await scheduler.waitFor(Promise.all(starts));
        expect({ most, left: count() }).toEqual({ most: limit, left: limit });
      }),
      { numRuns: 100, seed: 8 },
    );
  });

  test('a purge takes no place, and a lease that ends frees one', async () => {
    const { job, store } = aPlace();
    const brakes = await job({ limit: 1 });
    const purging = aNewLease('purged', { phase: 'purging' });
    expect(await brakes.claim(purging)).toEqual([]);
    await held(store, purging);
    const first = aNewLease('first');
    expect(await brakes.claim(first)).toEqual([]);
    const lease = await held(store, first);
    expect(await brakes.claim(aNewLease('second'))).toMatchObject([{ kind: 'stage-limit' }]);
    await dropLease(store, lease);
    // Its claim counts no longer than its job may act on it.
    const later = await job({ limit: 1 });
    expect(await later.claim(aNewLease('second'))).toMatchObject([{ kind: 'stage-limit' }]);
  });

  test('a job that dies between its claim and its lease keeps a place for seconds, and no longer', async () => {
    const { job, clock } = aPlace();
    await (await job({ limit: 1 })).claim(aNewLease('dead'));
    clock.at += 19 * SECOND;
    expect(await (await job({ limit: 1 })).claim(aNewLease('next'))).toMatchObject([{ kind: 'stage-limit' }]);
    clock.at += 2 * SECOND;
    expect(await (await job({ limit: 1 })).claim(aNewLease('next', { busyUntil: clock.at + SECOND }))).toEqual([]);
  });

  test('leases count where the document is lost, and a lease that cannot be read counts as well', async () => {
    const { job, store, documents } = aPlace();
    await held(store, aNewLease('first'));
    await store.write('lease#odd', { nothing: 'of a lease' }, undefined);
    documents.delete(STAGE_DOCUMENT);
    const brakes = await job({ limit: 2 });
    expect(await brakes.claim(aNewLease('third'))).toEqual([
      { kind: 'stage-limit', limit: 2, nodes: ['first.redis.example:6379', 'lease#odd'] },
    ]);
  });

  test('a quarantined lease does not count, before its server is back with our settings on', async () => {
    const { job, store } = aPlace();
    const lost = aNewLease('lost', { phase: 'running', status: 'quarantined' });
    await store.write(quarantineKey(lost), lost, undefined);
    const [quarantined] = (await readState(store, [])).quarantined;
    if (!quarantined) throw new Error('nothing in quarantine');
    const back = await job({ limit: 1, placements: homeOf(quarantined), looks: [seen(lost)] });
    expect(await back.claim(aNewLease('next'))).toMatchObject([{ kind: 'stage-limit' }]);
    expect(await (await job({ limit: 1 })).claim(aNewLease('next'))).toEqual([]);
  });

  test('a renamed instance has its lease, wherever that stands', async () => {
    const { job, store } = aPlace();
    await held(store, aNewLease('before', { node: 'same.redis.example:6379' }));
    const brakes = await job({ limit: 1 });
    expect(await brakes.claim(aNewLease('other'))).toMatchObject([{ kind: 'stage-limit' }]);
  });
});

describe('F8: one server of a host', () => {
  test.each([
    ['by its name', { node: 'box.redis.example:6379' }, { node: 'box.redis.example:6380' }],
    ['by the address behind two names', { address: '10.0.0.7' }, { address: '10.0.0.7' }],
  ])('%s', async (_, one, other) => {
    const { job } = aPlace();
    const brakes = await job();
    expect(await brakes.claim(aNewLease('one', one))).toEqual([]);
    expect(await brakes.claim(aNewLease('other', other))).toMatchObject([{ kind: 'host-acting', isDefrag: true }]);
    expect(await brakes.claim(aNewLease('purge', { ...other, phase: 'purging' }))).toMatchObject([
      { kind: 'host-acting' },
    ]);
    expect(await brakes.claim(aNewLease('elsewhere', { address: '10.0.0.8' }))).toEqual([]);
  });

  test('what one job releases is not what another job has claimed or taken on the same node', async () => {
    const { job, store } = aPlace();
    const lease = (holder: string) => aNewLease('one', { node: 'one.redis.example:6379', holder });
    const [mine, theirs] = [await job({ limit: 1 }), await job({ limit: 1 })];
    const other = aNewLease('two', { node: 'two.redis.example:6379' });
    for (const isTaken of [false, true]) {
      expect(await theirs.claim(lease('theirs'))).toEqual([]);
      if (isTaken) await held(store, lease('theirs'));
      expect(await mine.claim(lease('mine'))).toEqual([]);
      mine.release(lease('mine').node, 'mine');
      expect(await mine.claim(other)).toMatchObject([{ kind: 'stage-limit', nodes: [lease('theirs').node] }]);
    }
  });

  test('what was released is free for this job at once, and for others as it runs out', async () => {
    const { job, store, clock } = aPlace();
    const brakes = await job();
    const at = (port: number) =>
      aNewLease(`at-${port}`, { node: `box.redis.example:${port}`, phase: 'purging', busyUntil: NOW + 15 * SECOND });
    expect(await brakes.claim(at(1))).toEqual([]);
    const taken = await held(store, at(1));
    expect(await brakes.claim(at(2))).toMatchObject([{ kind: 'host-acting', isDefrag: false }]);
    await dropLease(store, taken);
    brakes.release(at(1).node, at(1).holder);
    expect(await (await job()).claim(at(3))).toMatchObject([{ kind: 'host-acting' }]);
    expect(await brakes.claim(at(2))).toEqual([]);
    // Another job's claim on the same node is another one.
    clock.at += SECOND;
    const later = aNewLease('at-1', { ...at(1), busyUntil: NOW + 30 * SECOND });
    brakes.release(at(2).node, at(2).holder);
    expect(await brakes.claim(later)).toEqual([]);
    expect(await brakes.claim(at(2))).toMatchObject([{ kind: 'host-acting', node: at(1).node }]);
  });

  test('two purges wait for each other as well', async () => {
    const { job } = aPlace();
    const brakes = await job();
    const [one, other] = [6379, 6380].map((port) =>
      aNewLease(`at-${port}`, { node: `box.redis.example:${port}`, phase: 'purging' }),
    );
    if (!one || !other) throw new Error('two leases');
    expect(await Promise.all([brakes.claim(one), brakes.claim(other)])).toEqual([
      [],
      [{ kind: 'host-acting', node: one.node, isDefrag: false }],
    ]);
  });
});

describe('F8: a version on which a server went down under our defrag', () => {
  const lease = aNewLease('fallen', { phase: 'running', acquiredAt: NOW - MINUTE });
  const restarted = { runId: RUN_ID, uptime: 20 * SECOND };

  async function fallen(look: (lease: Lease) => ReachedNode | UnreachedNode) {
    const place = aPlace();
    const one = await held(place.store, lease);
    const brakes = await place.job({ placements: homeOf(one), looks: [look(lease)] });
    return { ...place, brakes, one };
  }

  test.each([
    ['restarted', (one: Lease) => seen(one, restarted), 'restarted'],
    ['does not answer', (one: Lease) => unseen(one), 'vanished'],
    ['cannot be reached', (one: Lease) => unseen(one, 'unreachable'), 'vanished'],
    // Each of them may be another process by now.
    ['refuses us', (one: Lease) => unseen(one, 'refused'), 'unchecked'],
    ['has other credentials', (one: Lease) => unseen(one, 'wrong-credentials'), 'unchecked'],
    ['speaks something else', (one: Lease) => unseen(one, 'not-redis'), 'unchecked'],
    ['was not reached in time', (one: Lease) => unseen(one, 'not-reached'), 'unchecked'],
    ['is another one', (one: Lease) => seen(one, { runId: RUN_ID, uptime: 60 * MINUTE }), 'unchecked'],
    ['was not asked for want of a secret', (one: Lease) => unseen(one, 'config-problem'), 'unchecked'],
  ] as const)('%s: none of it is started in this tick, by any job, in this night', async (_, look, how) => {
    const { brakes, job, clock, falls } = await fallen(look);
    const fall = { node: lease.node, runId: lease.runId, engine: ENGINE, how, at: NOW, until: NOW + NIGHT };
    expect(brakes.seen().falls).toEqual([fall]);
    // Another job has read the state before this one has told.
    const other = await job();
    await brakes.note([]);
    expect(await falls()).toEqual([fall]);
    const { runId: __, ...told } = fall;
    expect(await other.claim(aNewLease('next'))).toEqual([{ kind: 'version-fell', ...told }]);
    const group = [{ node: 'a:6379', engine: ENGINE }];
    expect(await other.claimAll(group, { holder: 'group', busyUntil: NOW })).toEqual([
      { kind: 'version-fell', ...told },
    ]);
    expect(await other.claim(aNewLease('purge', { phase: 'purging' }))).toEqual([]);
    expect(await other.claim(aNewLease('newer', { engine: { ...ENGINE, version: '7.2.11' } }))).toEqual([]);
    clock.at += NIGHT + 1;
    const next = await job();
    expect(await next.claim(aNewLease('next', { busyUntil: clock.at + SECOND }))).toEqual([]);
  });

  test('under a parameter group: the same', async () => {
    const { job, falls } = aPlace();
    const fall = {
      node: 'a:6379',
      runId: RUN_ID,
      engine: ENGINE,
      how: 'restarted',
      at: NOW,
      until: NOW + NIGHT,
    } as const;
    const claims = await job({ switched: { seen: [], now: async () => [], falls: [fall] } });
    expect(await claims.claim(aNewLease('next'))).toMatchObject([{ kind: 'version-fell', node: 'a:6379' }]);
    await claims.note([]);
    expect(await falls()).toEqual([fall]);
  });

  test.each(['timeout', 'refused'])(
    'a server that answers again as the same process has not fallen: it had failed its check (%s)',
    async (kind) => {
      const { brakes, job, clock, falls } = await fallen((one) => unseen(one, kind));
      await brakes.note([]);
      clock.at += MINUTE;
      const later = await job({ looks: [seen(lease, { at: clock.at })] });
      await later.note([]);
      expect(await falls()).toEqual([]);
      expect(await later.claim(aNewLease('next'))).toEqual([]);
    },
  );

  test('but not by a look that is older than its silence', async () => {
    const { brakes, job, clock, falls } = await fallen((one) => seen(one));
    clock.at += 3 * SECOND;
    await brakes.note([outageOf(lease, 'vanished', clock.at)]);
    const other = await job({ looks: [seen(lease)] });
    expect(await other.claim(aNewLease('next'))).toMatchObject([{ kind: 'version-fell' }]);
    await other.note([]);
    expect(await falls()).toHaveLength(1);
  });

  test('one that stays away holds its version for a night from when it was seen last, and not for ever', async () => {
    const { brakes, clock } = await fallen((one) => unseen(one));
    clock.at += NIGHT + 1;
    expect(brakes.seen().falls).toEqual([]);
    expect(outageOf(lease, 'vanished', clock.at)).toMatchObject({ at: clock.at, until: NOW + NIGHT });
  });

  test.each(['timeout', 'not-redis'])('one that comes back restarted stays fallen (%s)', async (kind) => {
    const { brakes, job, clock, one, falls } = await fallen((some) => unseen(some, kind));
    await brakes.note([]);
    clock.at += MINUTE;
    const later = await job({ placements: homeOf(one), looks: [seen(lease, { ...restarted, at: clock.at })] });
    await later.note([]);
    expect(await falls()).toMatchObject([{ how: 'restarted', at: clock.at }]);
  });

  test('a store that takes nothing keeps no other from being braked in this tick', async () => {
    const { brakes, trouble } = await fallen((one) => unseen(one));
    trouble.failsOn = STAGE_DOCUMENT;
    await expect(brakes.note([])).rejects.toThrow('throttles');
    expect(brakes.seen().falls).toHaveLength(1);
    expect(await brakes.claim(aNewLease('next'))).toMatchObject([{ kind: 'version-fell' }]);
  });

  test('where nothing has fallen, nothing is written', async () => {
    const { brakes, documents } = await fallen((one) => seen(one));
    await brakes.note([]);
    expect([...documents.keys()]).toEqual([leaseKey('fallen')]);
  });
});

describe('a worker that has a part of the stage', () => {
  const since = NOW - 10 * SECOND;
  const { progress } = aLease();
  const checked = (at: number, over: Partial<Lease> = {}) =>
    aNewLease('other', { phase: 'running', busyUntil: 0, progress: { ...progress, at }, ...over });
  const claimBeside = async (lease: Lease, wanted: Partial<Lease> = {}, known: Partial<Known> = {}) => {
    const { store, job } = aPlace();
    await held(store, lease);
    return await (await job({ since, ...known })).claim(aNewLease('next', wanted));
  };
  const unseen = checked(since - 1);
  const blocker = { kind: 'version-unseen', node: unseen.node, at: since - 1, until: since - 1 + NIGHT };

  test('starts no defrag while a server of its version is under one and was not checked in this tick', async () => {
    expect(await claimBeside(unseen)).toEqual([blocker]);
    expect(await claimBeside(checked(since - 1, { phase: 'taking' }))).toEqual([blocker]);
    const { engine: _, ...old } = unseen;
    expect(await claimBeside(old)).toEqual([blocker]);
  });

  test('nor switches a parameter group with nodes of that version', async () => {
    const { store, job } = aPlace();
    await held(store, unseen);
    const claims = await job({ since });
    const by = { holder: 'group', busyUntil: NOW };
    const nodes = ['a:6379', 'b:6379'].map((node) => ({ node, engine: ENGINE }));
    expect(await claims.claimAll(nodes, by)).toEqual([blocker]);
    expect(await claims.claimAll([{ node: 'c:6379', engine: { ...ENGINE, version: '7.2.11' } }], by)).toEqual([]);
  });

  test('nor beside a node whose parameter group is switched and that was not checked', async () => {
    const { job } = aPlace();
    let checked: SwitchedNode['checked'] = { at: since - 1, engine: ENGINE };
    const now = async () => [{ node: 'a:6379', holder: 'group', isDefrag: true, ...(checked && { checked }) }];
    const claims = await job({ since, switched: { seen: [], falls: [], now } });
    const claim = async (over: Partial<Lease> = {}) => await claims.claim(aNewLease('next', over));
    expect(await claim()).toEqual([{ ...blocker, node: 'a:6379' }]);
    expect(await claim({ engine: { ...ENGINE, version: '7.2.11' } })).toEqual([]);
    checked = { at: since, engine: ENGINE };
    expect(await claim()).toEqual([]);
    checked = undefined;
    expect(await claim()).toEqual([]);
  });

  test.each<[string, Lease, Partial<Lease>, Partial<Known>]>([
    ['another worker has checked it', checked(since), {}, {}],
    ['it has checked it itself', unseen, {}, { looks: [seen(unseen)] }],
    ['the version is another one', unseen, { engine: { ...ENGINE, version: '7.2.11' } }, {}],
    ['it wants a purge', unseen, { phase: 'purging' }, {}],
    ['the other defrag is being ended', checked(since - 1, { phase: 'closing' }), {}, {}],
    ['nobody has checked it for a night', checked(NOW - NIGHT), {}, {}],
  ])('starts one where %s', async (_, lease, wanted, known) => {
    expect(await claimBeside(lease, wanted, known)).toEqual([]);
  });

  test('sees what was checked while it waited', async () => {
    const { store, job } = aPlace();
    const lease = await held(store, unseen);
    const claims = await job({ since });
    expect(await claims.claim(aNewLease('next'))).toEqual([blocker]);
    await renewLease(store, lease, checked(NOW));
    expect(await claims.claim(aNewLease('next'))).toEqual([]);
  });
});

describe('the document', () => {
  test('that cannot be read keeps every start away, and says what to do', async () => {
    const { store } = aPlace();
    await store.write(STAGE_DOCUMENT, { claims: 'none' } as unknown as StageDocument, undefined);
    const state = await readState(store, []);
    expect(state.obstacle('sessions', 'any')).toMatch(/^the document brakes cannot be read: claims .*; remove it/);
  });

  test('expires when nothing in it counts any more', () =>
    expect(lifetimeOf(STAGE_DOCUMENT, {})).toBeGreaterThan(2 * NIGHT));

  test('that others change again and again grants nothing', async () => {
    const { job, store } = aPlace();
    const contended: StateStore = { ...store, write: async () => ({ stored: false }) };
    await expect((await job({}, contended)).claim(aNewLease('first'))).rejects.toThrow('again and again');
  });

  test('claims that are over leave it', async () => {
    const { job, clock, store } = aPlace();
    await (await job()).claim(aNewLease('first'));
    clock.at += MINUTE;
    await (await job()).claim(aNewLease('second', { busyUntil: clock.at + SECOND }));
    expect((await readStageDocument(store)).claims.map(({ node }) => node)).toEqual(['second.redis.example:6379']);
  });
});
