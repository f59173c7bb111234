import { SECOND } from '../../core/config/units.ts';
import { GROUP_LEASE } from '../../core/state/keys.ts';
import { CACHE_SERVERS, type ClusterOfModel, GROUP } from './caches.ts';
import { isWindowOpen } from './calendar.ts';
import { CACHES, LONGEST } from './fleet.ts';
import {
  count,
  type Fail,
  isBusy,
  isDenied,
  isUncheckable,
  isUnderway,
  leasesOf,
  noneOfAVersionThatFell,
  pauseOf,
} from './invariants.ts';
import type { ParameterName } from './parameter-group.ts';
import type { SimulatedServer } from './server.ts';
import type { World } from './world.ts';

// The laws of a parameter group that the job switches: judged in AWS, as each change is sent.

/** A change of the group by a job. */
export interface Change {
  readonly holder: string;
  readonly group: string;
  readonly set?: Readonly<Record<string, string>>;
  readonly reset?: readonly string[];
}

interface GroupLeaseOfModel {
  readonly phase: string;
  readonly holder: string;
  readonly acquiredAt: number;
  readonly nodes: readonly { readonly node: string; readonly runId: string; readonly at: number }[];
}

export function groupLeaseOf({ documents }: Pick<World, 'documents'>): GroupLeaseOfModel | undefined {
  const [, stored] = [...documents].find(([key]) => key.startsWith(GROUP_LEASE)) ?? [];
  return stored?.value as GroupLeaseOfModel | undefined;
}

function serversOf({ servers }: World): readonly (readonly [string, SimulatedServer])[] {
  return CACHE_SERVERS.flatMap((name) => {
    const server = servers.get(name);
    return server ? [[name, server] as const] : [];
  });
}

/** Of a cluster that has joined the group since, the next tick knows. */
export function isSwitched(world: World, node: string): boolean {
  const isNamed = groupLeaseOf(world)?.nodes.some((one) => one.node === node) ?? false;
  return isNamed && world.cloud.group.isOurs() && !world.hasLostTable;
}

/** As the change is sent. */
export function judgeChange(world: World, change: Change): void {
  const { set = {}, reset = [] } = change;
  const what = JSON.stringify({ set, reset });
  const fail: Fail = (law, why) =>
    void world.violations.push(`${law}: ${what} in ${change.group} at ${new Date(world.now).toISOString()}: ${why}`);
  if (change.group !== GROUP) fail('S4', 'AWS does not let it be changed');
  if (!groupLeaseOf(world) && !world.hasLostTable) fail('S2', 'no lease is on the group');
  // At a start, what is a human's comes back at the end.
  if (set.activedefrag === 'yes') mayStart(world, change, fail);
  else leavesHumansAlone(world, [...Object.keys(set), ...reset], fail);
}

/** S3: what a human has set in the group during the run stays. */
function leavesHumansAlone(world: World, names: readonly string[], fail: Fail): void {
  const { values } = world.cloud.group;
  if (Object.values(values).some(({ owner, taken }) => owner === 'human' && taken))
    count(world, 'S3 a parameter of a human');
  for (const name of names as ParameterName[]) if (values[name].owner === 'human') fail('S3', `${name} is a human's`);
}

function mayStart(world: World, { holder }: Change, fail: Fail): void {
  const { cloud } = world;
  const lease = groupLeaseOf(world);
  if (lease && (lease.holder !== holder || lease.phase !== 'taking')) fail('S4', 'its lease is of another job');
  if (cloud.group.values.activedefrag.value === 'yes') fail('S3', 'defrag is on already');
  if (cloud.isShared) fail('S4', 'the config does not name all clusters that use it');
  if (cloud.isFailing) fail('S1', 'its discovery fails');
  if (!isWindowOpen(world.now, CACHES.window)) fail('S1', 'its window is closed');
  if (pauseOf(world, CACHES.id)) fail('S1', 'it is paused');
  const users = [...cloud.clusters].filter(([, { group }]) => group === GROUP);
  for (const [name, its] of users) {
    clusterMayStart(name, its, fail);
    nodeMayStart(world, its.node, fail);
  }
  hasPlaces(world, users.length, fail);
}

function clusterMayStart(name: string, cluster: ClusterOfModel, fail: Fail): void {
  if (!cluster.isAvailable) fail('S1', `${name} is being modified`);
  if (!cluster.isListed || cluster.isWatched) fail('S4', `${name} is not to be acted on`);
  if (cluster.changedAt !== undefined) fail('S1', `AWS still applies a change to ${name}`);
}

/** S4: each node of the group takes a place of the stage. */
function hasPlaces(world: World, nodes: number, fail: Fail): void {
  if (world.hasLostTable) return;
  const others = isUnderway(world).filter((name) => !CACHE_SERVERS.includes(name));
  if (others.length + nodes === world.maxAtOnce) count(world, 'S4 a parameter group in the last places of the stage');
  if (others.length + nodes > world.maxAtOnce)
    fail('S4', `${nodes} nodes at once, and our defrag is on at ${others.join(', ')}`);
}

function nodeMayStart(world: World, node: string, fail: Fail): void {
  const server = world.servers.get(node);
  if (!server) return;
  if (isUncheckable(server)) fail('S1', `${node} does not answer`);
  if (server.forking) fail('S1', `${node} has a fork child`);
  if (isBusy(CACHES, server)) fail('S1', `${node} is busy`);
  if (world.now - server.startedAt < 10 * SECOND) fail('S1', `${node} has just restarted`);
  if (isDenied(server)) fail('S9', `${server.traits.version} is on the deny-list`);
  if (leasesOf(world).some((lease) => lease.node === node)) fail('S4', `a lease is on ${node}`);
  noneOfAVersionThatFell(world, server, fail);
}

/** S5: while defrag is on, no restoration gives the cycles their earlier share back. Right after a change. */
export function judgeChanged(world: World, { reset = [], set = {} }: Change): void {
  const { values, isOurs } = world.cloud.group;
  const name = 'active-defrag-cycle-max';
  if (!isOurs() || !(name in set || reset.includes(name)) || values[name].owner === 'job') return;
  world.violations.push(`S5: defrag is on, and ${name} is ${values[name].value} again`);
}

/** As a tick begins: whether it has to end the run of the group, by the model's own knowledge. */
export function isGroupDue(world: World): boolean {
  const { cloud } = world;
  const lease = groupLeaseOf(world);
  if (!lease || cloud.group.taken().length === 0) return false;
  const servers = serversOf(world).filter(([name]) => lease.nodes.some(({ node }) => node === name));
  const isDone = servers.every(([, { holes, allocated }]) => holes <= 0.011 * allocated);
  const isOf = (name: string) => lease.nodes.some(({ node }) => node === name);
  const joined = [...cloud.clusters.values()].some(({ group, node }) => group === GROUP && !isOf(node));
  const isChanging = [...cloud.clusters.values()].some(({ node, isAvailable }) => isOf(node) && !isAvailable);
  const is =
    (isDone && world.now - lease.acquiredAt > 10 * SECOND) ||
    joined ||
    cloud.isShared ||
    (isChanging && !cloud.isFailing) ||
    world.now - lease.acquiredAt > LONGEST ||
    !isWindowOpen(world.now, CACHES.window) ||
    pauseOf(world, CACHES.id) !== undefined ||
    cloud.group.values.activedefrag.value !== 'yes' ||
    servers.some(([name, server]) => hasFallen(lease, name, server) || server.forking);
  if (is) count(world, 'S2 a parameter group that has to be restored');
  return is;
}

function hasFallen({ nodes }: GroupLeaseOfModel, name: string, server: SimulatedServer): boolean {
  return isUncheckable(server) || nodes.some((one) => one.node === name && one.runId !== server.runId());
}

/** S2, after a tick that nothing has troubled. */
export function isGroupRestored(world: World, isDue: boolean): void {
  const taken = world.cloud.group.taken();
  if (taken.length === 0 || world.hasLostTable) return;
  if (!groupLeaseOf(world)) world.violations.push(`S2: ${taken} of ours are in the parameter group without a lease`);
  else if (isDue) world.violations.push(`S2: ${taken} of ours are still in the parameter group`);
}

/** S2, as a lease is dropped: what it was for is over on each node that it names. */
export function isGroupOver(world: World): void {
  const lease = groupLeaseOf(world);
  const { cloud } = world;
  if (!lease || world.hasLostTable) return;
  const taken = cloud.group.taken();
  if (taken.length > 0)
    world.violations.push(`S2: the lease is dropped, and ${taken} of ours are in the parameter group`);
  for (const [name, server] of serversOf(world)) {
    const isIts = lease.nodes.some(({ node }) => node === name);
    if (isIts && server.reachable && server.isOn() && server.owners.activedefrag === 'job')
      world.violations.push(`S2: the lease is dropped, and defrag is still on at ${name}`);
  }
}

const ENDS = ['defrag-finished', 'defrag-aborted'];

/** S2 and S7, at the end of all. */
export function isGroupAtRest(world: World): void {
  const { cloud, deliveries, groupRuns } = world;
  if (world.hasLostTable) return;
  if (cloud.group.taken().length > 0)
    world.violations.push(`S2: ${cloud.group.taken()} is left in the parameter group`);
  if (groupLeaseOf(world)) world.violations.push('S2: the lease on the parameter group is left');
  const alerts = deliveries.filter(({ alert }) => alert.node === `${cloud.service}:${GROUP}`).map(({ alert }) => alert);
  const ends = new Set(alerts.filter(({ event }) => ENDS.includes(event)).map(({ id }) => id)).size;
  if (ends < groupRuns.length)
    world.violations.push(`S7: ${groupRuns.length} runs of the group, but ${ends} ends were told`);
}
