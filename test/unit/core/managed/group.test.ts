import { expect, test } from 'vitest';
import type { InstanceConfig } from '../../../../core/config/schema.ts';
import { groupsIn, refusals } from '../../../../core/managed/group.ts';
import type { GroupUser } from '../../../../core/ports/parameter-groups.ts';
import { anInstance } from '../../../support/builders.ts';

const shard = (id: string, host: string, over: Partial<InstanceConfig> = {}, parameterGroup = 'own'): InstanceConfig =>
  anInstance({
    id,
    nodes: [{ id: `${host}:6379`, host, port: 6379, tls: false }],
    defrag: { ...anInstance().defrag, through: 'parameter-group' },
    found: {
      by: 'carts',
      group: id,
      managed: { service: 'elasticache', group: id, region: 'eu-west-1', status: 'available', parameterGroup },
    },
    ...over,
  });
const user = (cluster: string, node: string, over: Partial<GroupUser> = {}): GroupUser => ({
  ...{ cluster, nodes: [node], isInSync: true, isGlobal: false },
  ...over,
});
const [GROUP] = groupsIn([shard('a', 'A'), shard('b', 'b')]);
if (!GROUP) throw new Error('no group');
const OWN = [user('a', 'a:6379'), user('b', 'b:6379')];

test('instances of one group are switched together; only those that opted in and may be acted on count', () => {
  const byConfig = shard('c', 'c', { defrag: anInstance().defrag });
  const watched = shard('d', 'd');
  const groups = groupsIn([
    shard('a', 'a'),
    shard('b', 'b'),
    byConfig,
    { ...watched, ...(watched.found && { found: { ...watched.found, acts: false } }) },
    shard('e', 'e', {}, 'other'),
    anInstance(),
  ]);
  expect(groups.map(({ group, instances }) => [group, instances.map(({ id }) => id)])).toEqual([
    ['own', ['a', 'b']],
    ['other', ['e']],
  ]);
});

test('a group whose clusters the config names, whatever the case of their names, is not refused', () => {
  expect(refusals(GROUP, OWN)).toEqual([]);
});

test.each([
  ['a cluster that the config does not name', [...OWN, user('pay', 'pay:6379')], /^it also serves pay, and a change/],
  ['a node of a named cluster that is not discovered', [...OWN, user('a', 'a2:6379')], /^it also serves a,/],
  ['a cluster that is being created', [...OWN, user('new', '', { nodes: [] })], /^it also serves new,/],
  ['a global datastore', [user('a', 'a:6379', { isGlobal: true })], /^a: other regions share the group/],
  ['an earlier change that is not applied yet', [user('a', 'a:6379', { isInSync: false })], /still applying.* to a$/],
  ['an answer without clusters', [], /^AWS names no cluster/],
])('%s: refused', (_what, users, words) => {
  expect(refusals(GROUP, users)).toEqual([expect.stringMatching(words)]);
});

test('a default group is refused', () => {
  expect(refusals({ ...GROUP, group: 'Default.valkey8' }, OWN)).toEqual([expect.stringMatching(/default group/)]);
});
