import { AddTagsToResourceCommand, ModifyCacheParameterGroupCommand } from '@aws-sdk/client-elasticache';
import { CreateClusterCommand, DescribeParametersCommand } from '@aws-sdk/client-memorydb';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunningServer } from '../../../cli/lab/start.ts';
import { chosenGroups, releaseGroups } from '../../../cli/release-groups.ts';
import { readGroupLeases } from '../../../core/managed/lease.ts';
import { clientOf, settingsOf } from '../../support/fragmented.ts';
import { closedWindow, configOf, OPEN } from '../../support/job.ts';
import { describeWithMoto } from '../../support/moto.ts';
import { untilOldEnough } from '../../support/offpeak.ts';
import {
  farMaintenance,
  GROUP,
  MINUTE,
  ON,
  parameterGroupScene,
  THROUGH,
} from '../../support/parameter-group-scene.ts';
import { lacksServer, plainServer } from '../../support/servers.ts';

const ACCOUNT = '123456789012';

describeWithMoto('active defrag through a parameter group', () => {
  describe.skipIf(lacksServer('defrag'))('on a server that refuses CONFIG', () => {
    const { scene, tags, group, parameters, job, changes, untilEnded, slowAws, pass } = parameterGroupScene();
    let { proxy, caches, memory, server, aws, before } = scene();
    beforeEach(() => {
      ({ proxy, caches, memory, server, aws, before } = scene());
    });

    test('switched on for all nodes, followed, restored by reset, and reported with the group', async () => {
      await group('sessions');
      const prior = await parameters();
      const one = job();
      const { leased, remarks } = await one.tick();
      expect(remarks).toEqual([
        expect.stringMatching(
          /^parameter group carts-valkey8 of ElastiCache in eu-west-1: started active defrag on 1 nodes of sessions at once, .* predicted back, by active-defrag-cycle-max 5, active-defrag-cycle-min 5, active-defrag-ignore-bytes 10485760, active-defrag-threshold-lower 1, activedefrag yes; at most 5 ms for a cycle at hz 10/,
        ),
      ]);
      expect(leased).toMatchObject([{ instance: 'carts/sessions/0001' }]);
      expect(await aws.config('GET', 'activedefrag')).toEqual(['activedefrag', 'yes']);
      const second = await one.tick();
      expect(second.outcomes).toMatchObject([{ kind: 'observed', leased: true, plan: { reason: 'defragmenting' } }]);
      const { leased: left } = await untilEnded(one);
      expect(left.length).toBeLessThanOrEqual(1);
      expect([await parameters(), await settingsOf(aws)]).toEqual([prior, before]);
      expect(changes()).toEqual(['ModifyCacheParameterGroup', 'ResetCacheParameterGroup']);
      expect(one.alerts.map(({ event, node }) => [event, node])).toEqual([
        ['defrag-started', 'elasticache:carts-valkey8'],
        ['defrag-finished', 'elasticache:carts-valkey8'],
      ]);
      expect((await one.tick()).remarks.join()).not.toMatch(/started/);
      // The history says what the run came to.
      const histories = [...(await one.ports.store.list('history#')).values()].map(({ value }) => value);
      expect(histories).toMatchObject([
        {
          byAction: {
            defrag: { results: [{ through: GROUP, lasted: expect.any(Number), because: expect.any(String) }] },
          },
        },
      ]);
    });

    test('a value that a user had set comes back as it was; one that a person sets meanwhile stays', async () => {
      await group('sessions');
      const set = async (ParameterName: string, ParameterValue: string) =>
        await caches.send(
          new ModifyCacheParameterGroupCommand({
            CacheParameterGroupName: GROUP,
            ParameterNameValues: [{ ParameterName, ParameterValue }],
          }),
        );
      await set('active-defrag-cycle-max', '60');
      await slowAws();
      const one = job();
      await one.tick();
      await one.tick();
      await set('active-defrag-threshold-lower', '33');
      await untilEnded(one, { release: 'released' });
      expect(await parameters()).toMatchObject({
        activedefrag: 'no engine-default',
        'active-defrag-cycle-max': '60 user',
        'active-defrag-threshold-lower': '33 user',
        'active-defrag-cycle-min': '1 engine-default',
      });
      expect(one.alerts.at(-1)).toMatchObject({
        event: 'defrag-aborted',
        severity: 'warning',
        facts: expect.arrayContaining([
          { label: 'Left as a person has set them', value: 'active-defrag-threshold-lower 33' },
        ]),
      });
    });

    test.each([
      [
        'a default group',
        async () => await group('sessions', {}, 'default.valkey8'),
        /default group.*group of their own/,
      ],
      [
        'clusters that the config does not name',
        async () => {
          await group('sessions');
          await group('payments', { offpeak: 'no' });
          await group('baskets', { 'offpeak:ignore': 'true' });
        },
        /it also serves payments, baskets, and a change would reach/,
      ],
      [
        'a person who has switched it on',
        async () => {
          await group('sessions');
          await caches.send(
            new ModifyCacheParameterGroupCommand({
              CacheParameterGroupName: GROUP,
              ParameterNameValues: [{ ParameterName: 'activedefrag', ParameterValue: 'yes' }],
            }),
          );
          await aws.config('SET', 'activedefrag', 'no');
        },
        /activedefrag is yes in the group already/,
      ],
    ])('%s: refused with words, and nothing is changed', async (_what, prepare, words) => {
      await prepare();
      proxy.clear();
      const { remarks } = await job().tick();
      expect(remarks.at(-1)).toMatch(words);
      expect(changes()).toEqual([]);
    });

    test('out of its window a plan says what stands in its way, and nothing is changed', async () => {
      await group('sessions');
      await group('payments', { offpeak: 'no' });
      proxy.clear();
      const { remarks } = await job(closedWindow() + THROUGH).tick({ mode: 'plan' });
      expect(remarks.at(-1)).toMatch(
        /not switched, though .* could return: it also serves payments.*outside the window/,
      );
      expect(changes()).toEqual([]);
    });

    test.each([
      ['a tag', async () => await tag({ 'offpeak:watch-only': 'true' }), 'watch-only'],
      ['a cluster that joins the group', async () => await group('payments', { offpeak: 'no' }), 'group-changing'],
      [
        'the end of its time',
        async () => {
          pass(2 * 24 * 60 * MINUTE);
        },
        'duration-spent',
      ],
    ])('%s ends it at the next tick', async (_what, happens, because) => {
      await group('sessions');
      await slowAws();
      const one = job();
      await one.tick();
      await happens();
      await one.tick();
      const [held] = await readGroupLeases(one.ports.store);
      expect(held?.lease.closing ?? because).toBe(because);
      await untilEnded(one);
      expect(await settingsOf(aws)).toEqual(before);
      const ofDefrag = one.alerts.map(({ event }) => event).filter((event) => event.startsWith('defrag-'));
      expect(ofDefrag).toEqual(['defrag-started', 'defrag-aborted']);
    });

    const tag = async (values: Record<string, string>) =>
      await caches.send(
        new AddTagsToResourceCommand({
          ResourceName: `arn:aws:elasticache:eu-west-1:${ACCOUNT}:replicationgroup:sessions`,
          Tags: tags(values),
        }),
      );

    test.each(['throttle', 'deny', 'reset'] as const)(
      '%s of the restoration: said, and tried again until it is done',
      async (kind) => {
        await group('sessions');
        const one = job();
        await one.tick();
        proxy.fault({ operation: 'ResetCacheParameterGroup', kind });
        const { remarks } = await one.tick({ release: 'released' });
        expect(remarks.at(-1)).toMatch(/ResetCacheParameterGroup/);
        expect(one.alerts.at(-1)).toMatchObject({ event: 'action-failed', severity: 'critical' });
        proxy.clear();
        pass(MINUTE);
        await untilEnded(one);
        expect(await settingsOf(aws)).toEqual(before);
      },
    );

    test('a person releases it: the values are restored at once, and the command says so', async () => {
      await group('sessions');
      const one = job();
      await one.tick();
      const config = configOf(`instances:\n  - id: carts\n    discover: ${ON}${OPEN}${THROUGH}\n`);
      const chosen = await chosenGroups(one.ports.store, ['carts']);
      expect([chosen.length, await chosenGroups(one.ports.store, ['other'])]).toEqual([1, []]);
      const means = { holder: 'release', signal: new AbortController().signal, print: () => {} };
      const { lines, isDone } = await releaseGroups(config, one.ports, chosen, means);
      expect([lines, isDone]).toEqual([
        [expect.stringMatching(/^parameter group carts-valkey8: .*prior values are set again/)],
        true,
      ]);
      expect(await settingsOf(aws)).toEqual(before);
    });

    test('without the store, what this process knows of ends in its time', async () => {
      await group('sessions');
      await slowAws();
      let isDown = false;
      const one = job(OPEN + THROUGH, {
        others: ({ store }) => ({
          store: {
            ...store,
            list: async (prefix) => {
              if (isDown) throw new (await import('../../../core/ports/state-store.ts')).StateUnavailable('down');
              return await store.list(prefix);
            },
          },
        }),
      });
      await one.tick();
      isDown = true;
      await one.tick();
      expect(await parameters()).toMatchObject({ activedefrag: 'yes user' });
      pass(2 * 24 * 60 * MINUTE);
      await one.tick();
      expect(await parameters()).toMatchObject({ activedefrag: 'no engine-default' });
      isDown = false;
      await untilEnded(one);
      expect(await settingsOf(aws)).toEqual(before);
    });

    test('MemoryDB, which names no source: the prior values are set again', async () => {
      await using other = await plainServer();
      await replicate(other, server);
      await memory.send(
        new CreateClusterCommand({
          ClusterName: 'ledger',
          NodeType: 'db.r7g.large',
          ACLName: 'open-access',
          TLSEnabled: false,
          NumReplicasPerShard: 1,
          ParameterGroupName: 'ledger',
          MaintenanceWindow: farMaintenance(),
          Tags: tags({ 'moto:ports': `${server.port} ${other.port}`, offpeak: 'on' }),
        }),
      );
      const values = async () => {
        const { Parameters = [] } = await memory.send(new DescribeParametersCommand({ ParameterGroupName: 'ledger' }));
        return Parameters.map(({ Name, Value }) => [Name, Value]);
      };
      const prior = await values();
      const one = job(OPEN + THROUGH, { discover: '{ memorydb: { tags: { offpeak: "on" } } }' });
      expect((await one.tick()).remarks.at(-1)).toMatch(/parameter group ledger of MemoryDB in eu-west-1: started/);
      await untilEnded(one, { release: 'released' });
      expect([await values(), await settingsOf(aws)]).toEqual([prior, before]);
      expect(changes()).toEqual(['UpdateParameterGroup', 'UpdateParameterGroup']);
    });
  });
});

/** Until it has all data, and is old enough not to be left alone. */
async function replicate(replica: RunningServer, { port }: RunningServer): Promise<void> {
  const client = clientOf(replica);
  await client.config('SET', 'masteruser', 'aws', 'masterauth', 'aws');
  await client.replicaof('127.0.0.1', port);
  await client.call('ACL', 'SETUSER', 'aws', 'on', '>aws', '~*', '&*', '+@all');
  await vi.waitUntil(async () => /master_link_status:up/.test(await client.info('replication')), { timeout: 300_000 });
  await untilOldEnough(client);
  client.disconnect();
}
