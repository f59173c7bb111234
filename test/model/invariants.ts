import { MINUTE, SECOND } from '../../core/config/units.ts';
import type { Alert } from '../../core/domain/alert.ts';
import type { Pause } from '../../core/domain/pause.ts';
import { listedIn } from './caches.ts';
import { groupLeaseOf, isSwitched } from './caches-laws.ts';
import { isWindowOpen } from './calendar.ts';
import { LONGEST_WORK } from './costs.ts';
import {
  CACHES,
  CART,
  EVERY_INSTANCE_OF_MODEL,
  FLEET,
  type InstanceOfModel,
  LONGEST,
  MAX_BLOCK,
  MAX_CPU,
  MAX_SHARDS_AT_ONCE,
  MAX_STALL,
  nodeName,
  OPS_WITHOUT_CPU,
} from './fleet.ts';
import { CART_SERVERS, homeOf, placeOf, viewOf } from './group.ts';
import type { SimulatedServer } from './server.ts';
import type { Deed, Judge, World } from './world.ts';

/** Versions of the fleet that must never be toggled. */
const DENIED = ['7.2.4'];
const WORTH = 64 * 2 ** 20;

export function isDenied({ traits }: SimulatedServer): boolean {
  return DENIED.includes(traits.version);
}

/** A dead job's lease is its own for this long at most. */
export const BUSY = 90 * SECOND;

export function instanceOf(node: string): InstanceOfModel {
  const home = homeOf(node);
  const found = EVERY_INSTANCE_OF_MODEL.find(({ id, nodes }) => nodes.some((_, index) => nodeName(id, index) === home));
  if (!found) throw new Error(`no instance has the node ${node}`);
  return found;
}

/** The addresses that hold the same data, this one among them; undefined where the model cannot say what a job knows of its shard. */
function shardOf(world: World, node: string): readonly string[] | undefined {
  const instance = instanceOf(node);
  // Each is a cluster of its own.
  if (instance === CACHES) return [node];
  if (instance !== CART) return instance.nodes.map((_, index) => nodeName(instance.id, index));
  const view = viewOf(world);
  return view && (view.find((nodes) => nodes.includes(node)) ?? []);
}

function serverAt(world: World, address: string): SimulatedServer | undefined {
  return world.servers.get(world.answering.get(address) ?? address);
}

/** A law of an if-clause holds nothing where that is never so: the model test asserts that each has applied. */
export function count(world: World, law: string): void {
  world.applied.set(law, (world.applied.get(law) ?? 0) + 1);
}

function isStart(deed: Deed): boolean {
  return deed.kind === 'defrag-on' || deed.kind === 'purge';
}

export function pauseOf(world: World, instance: string): Pause | undefined {
  const pauses = [`pause#${instance}`, 'pause#*'].map((key) => world.documents.get(key)?.value as Pause | undefined);
  return pauses.find((pause) => pause !== undefined && pause.until > world.now);
}

/** Judged at the very moment of each deed, with the model's own knowledge of what is true then. */
export const judge: Judge = (world, deed, server, settings) => {
  const fail = (law: string, what: string) =>
    void world.violations.push(`${law}: ${deed.kind} on ${deed.node} at ${new Date(world.now).toISOString()}: ${what}`);
  if (isStart(deed)) {
    startsOnlyWhenAllowed(world, deed, server, fail);
    oneNodeAtATime(world, deed, server, fail);
    oneOfAHost(world, deed, fail);
    peersAnswer(world, deed, server, fail);
    if (isSwitched(world, deed.node)) fail('S4', 'its parameter group is switched');
    if (instanceOf(deed.node) === CART) soManyOfAGroup(world, deed, server, fail);
  }
  if (deed.kind === 'defrag-on') {
    if (isDenied(server)) fail('S9', `${server.traits.version} is on the deny-list`);
    replicasFirst(world, deed, server, fail);
    soManyOfAStage(world, server, fail);
    noneOfAVersionThatFell(world, server, fail);
  } else if (deed.kind !== 'purge' && !isPreparing(world, deed)) leavesHumansAlone(world, deed, server, settings);
};

/** Before Redis 7.0 a start takes two steps; what it changes before the switch goes back with it. */
function isPreparing(world: World, { node, kind }: Deed): boolean {
  const server = world.servers.get(world.answering.get(node) ?? node);
  return kind === 'set' && server !== undefined && leaseOf(world, server)?.phase === 'taking';
}

/** The lease on a server, whatever its instance was called; a quarantined lease gives no right to act. */
function leaseOf(world: World, server: SimulatedServer): LeaseOfModel | undefined {
  return leasesOf(world).find(({ runId }) => runId === server.runId());
}

export type Fail = (law: string, what: string) => void;

/** S1: nothing is started outside an open window, while paused, or under a blocker. */
function startsOnlyWhenAllowed(world: World, deed: Deed, server: SimulatedServer, fail: Fail): void {
  const instance = instanceOf(deed.node);
  if (!isWindowOpen(world.now, instance.window)) fail('S1', 'its window is closed');
  if (pauseOf(world, instance.id)) fail('S1', 'it is paused');
  if (server.forking) fail('S1', 'it has a fork child');
  if (isBusy(instance, server)) fail('S1', 'it is busy');
  if (world.now - server.startedAt < 10 * SECOND) fail('S1', 'it has just restarted');
  if (instance !== CART) return;
  if (world.group.isUnsettled && !world.group.isFailing) fail('S1', 'a failover of its Cluster is under way');
  if (world.group.isFailing) fail('S1', 'its discovery fails, so that nobody knows what is under way');
  if (shardOf(world, deed.node)?.length === 0) fail('S1', 'no discovery names it');
}

/** By what it asks of its main thread, or where that is hidden, of its commands; and by the second limit, where there is one. */
export function isBusy({ maxOps }: InstanceOfModel, { traits, trafficCpu, opsPerSecond }: SimulatedServer): boolean {
  const mostOps = maxOps ?? (traits.hidesCpu ? OPS_WITHOUT_CPU : Number.POSITIVE_INFINITY);
  return (!traits.hidesCpu && trafficCpu() > MAX_CPU) || opsPerSecond > mostOps;
}

/** S3: what a human switched on is never switched off, and what a human has set during our run is left alone. */
function leavesHumansAlone(world: World, deed: Deed, server: SimulatedServer, settings: Record<string, string>): void {
  if (Object.values(server.owners).includes('human')) count(world, 'S3 a human was there, too');
  for (const [name, value] of Object.entries(settings)) {
    const theirs = server.settings[name] ?? '';
    if (server.owners[name] === 'human' && theirs !== value) world.overwritten.push({ server, name, theirs, deed });
  }
}

/**
 * What was a human's when the job set it has to be theirs again when the tick ends: somebody may type between the job's look and its
 * CONFIG SET, which tells what it has found.
 */
export function isTheirsAgain(world: World): void {
  for (const { server, name, theirs, deed } of world.overwritten.splice(0)) {
    if (server.owners[name] === 'human' || server.startedAt >= deed.at) continue;
    const at = new Date(deed.at).toISOString();
    world.violations.push(`S3: ${name} of ${deed.node} was a human's ${theirs}, and the job has set it at ${at}`);
  }
}

/** S4: at most one node of an instance is acted on at a time. */
function oneNodeAtATime(world: World, deed: Deed, acted: SimulatedServer, fail: Fail): void {
  if (!leaseOf(world, acted)) fail('S4', 'no lease is on it');
  // Of what a lost table held only the values on the servers are left, and those are told.
  if (world.hasLostTable) return;
  for (const peer of shardOf(world, deed.node) ?? []) {
    const server = serverAt(world, peer);
    if (peer === deed.node || !server || !isActing(world, server) || haveMet(world, deed, acted, server)) continue;
    fail('S4', `our defrag is on at ${peer}, too`);
  }
}

/** Two runs of different shards whose nodes have come into one since then: each comes to its end, with the purge that belongs to it. */
function haveMet(world: World, deed: Deed, acted: SimulatedServer, peer: SimulatedServer): boolean {
  const isEnd =
    deed.kind === 'purge' && world.deeds.findLast(({ server }) => server === deed.server)?.kind === 'defrag-off';
  return isEnd && leaseOf(world, acted)?.instance !== leaseOf(world, peer)?.instance;
}

/** S4: of a discovered group so many shards are acted on at a time, and one until the canary of its night has ended; none after one that fell. */
function soManyOfAGroup(world: World, { kind }: Deed, acted: SimulatedServer, fail: Fail): void {
  if (world.hasLostTable) return;
  const servers = CART_SERVERS.map((name) => [name, world.servers.get(name)] as const);
  const others = servers.flatMap(([name, server]) =>
    server && server !== acted && server.reachable && isOurs(server) && isLeased(world, server) ? [name] : [],
  );
  const where = others.join(', ');
  if (others.length === MAX_SHARDS_AT_ONCE - 1) count(world, 'S4 the last place of a group');
  if (others.length >= MAX_SHARDS_AT_ONCE) fail('S4', `our defrag is on in its group at ${where}, too`);
  if (kind !== 'defrag-on') return;
  const isProven =
    world.deeds.some((deed) => CART_SERVERS.includes(deed.server) && isEndOfNight(deed, world, acted)) ||
    // A job that died after switching off has left the end of its run to another one, however much later.
    world.runsEnded.some(({ node, at }) => instanceOf(node) === CART && world.now - at < NIGHT);
  if (!isProven && others.length > 0) fail('S4', `the canary of its group is under way at ${where}`);
  const view = viewOf(world)?.flat() ?? [];
  const fall = world.falls.find(
    ({ node, until }) => view.includes(node) && CART_SERVERS.includes(node) && world.now < until,
  );
  if (fall && !world.hasMoved) fail('S4', `${fall.node} of its group has restarted under our defrag`);
}

/** The end of a run, or a run that a person has ended. One of the night before is no canary of this night. */
function isEndOfNight({ kind, at, server: name }: Deed, { now, servers }: World, acted: SimulatedServer): boolean {
  if (kind === 'defrag-off') return now - at < NIGHT;
  const server = servers.get(name);
  const isOver = server !== undefined && (server === acted || !isOurs(server));
  return kind === 'defrag-on' && now - at < NIGHT + LONGEST && isOver;
}

/** S4: at most so many nodes of a stage are under our defrag at a time. */
function soManyOfAStage(world: World, acted: SimulatedServer, fail: Fail): void {
  if (world.hasLostTable) return;
  const others = isUnderway(world).filter((name) => world.servers.get(name) !== acted);
  if (others.length === world.maxAtOnce - 1) count(world, 'S4 the last place of the stage');
  if (others.length >= world.maxAtOnce) fail('S4', `our defrag is on at ${others.join(', ')}, too`);
}

/** Our defrag is on there. A server whose lease was quarantined counts from when it can be checked again (`stage-claims.ts`). */
function isActing(world: World, server: SimulatedServer): boolean {
  return server.reachable && isOurs(server) && (isLeased(world, server) || !isUncheckable(server));
}

/** Servers under our defrag; of a parameter group that is switched each node that its lease names, whatever AWS has applied by now. */
export function isUnderway(world: World): readonly string[] {
  const switched = world.cloud.group.isOurs() ? (groupLeaseOf(world)?.nodes ?? []).map(({ node }) => node) : [];
  return [...world.servers].flatMap(([name, server]) => {
    if (!server.traits.isManaged) return isActing(world, server) ? [name] : [];
    const is = isLeased(world, server) && (isOurs(server) || switched.includes(name));
    return is && server.reachable ? [name] : [];
  });
}

function isOurs(server: SimulatedServer): boolean {
  return server.isOn() && server.owners.activedefrag === 'job';
}

interface LeaseOfModel {
  readonly busyUntil: number;
  readonly status: string;
  readonly instance: string;
  readonly node: string;
  readonly runId: string;
  readonly phase: string;
  readonly progress?: { readonly at: number };
}

/** Without the quarantined ones. */
export function leasesOf(world: World): readonly LeaseOfModel[] {
  return [...world.documents]
    .flatMap(([key, { value }]) => (key.startsWith('lease#') ? [value as LeaseOfModel] : []))
    .filter(({ status }) => status === 'active');
}

/** S4: at most one server of a host is acted on at a time. */
function oneOfAHost(world: World, deed: Deed, fail: Fail): void {
  const [host] = deed.node.split(':');
  if (FLEET.some((one) => one.host === host)) count(world, 'S4 a shared host');
  const other = leasesOf(world).find(
    (lease) => lease.node !== deed.node && lease.node.split(':')[0] === host && !isGivenUp(world, lease),
  );
  if (other) fail('S4', `a lease stands on ${other.node}, too`);
}

/** Its job was suspended before it changed anything, and drops the lease as soon as it goes on. */
function isGivenUp(world: World, { node, phase, busyUntil }: LeaseOfModel): boolean {
  const server = serverAt(world, node);
  return phase === 'taking' && busyUntil <= world.now && server !== undefined && !isOurs(server);
}

/** S4: a primary is left alone while a peer of its instance does not answer. */
function peersAnswer(world: World, deed: Deed, acted: SimulatedServer, fail: Fail): void {
  const nodes = shardOf(world, deed.node) ?? [];
  if (acted.role !== 'primary' || nodes.length <= 1) return;
  count(world, `S4 a primary with peers${instanceOf(deed.node) === CART ? ' in a shard' : ''}`);
  const silent = nodes.filter((name) => !serverAt(world, name)?.reachable);
  if (silent.length > 0) fail('S4', `${silent.join(', ')} does not answer`);
}

/** A night, and what is left of it. */
const NIGHT = 20 * 60 * MINUTE;

/** S4: what has befallen a server under our defrag is not tried on the next one of its version in that night. */
export function noneOfAVersionThatFell(world: World, { traits: { version } }: SimulatedServer, fail: Fail): void {
  if (world.hasLostTable) return;
  const fall = world.falls.find(
    ({ node, at, until, isEnding, ...one }) =>
      one.version === version && world.now < until && isKnown(world, node, at < world.dispatchedAt && !isEnding),
  );
  if (fall && !world.hasMoved) fail('S4', `${fall.node} has restarted under our defrag, and runs the same version`);
  const gone = [...world.servers].find(
    ([name, server]) =>
      server.traits.version === version && isGone(world, server) && isKnown(world, name, isUnseen(world, server)),
  );
  if (gone) fail('S4', `no check of ${gone[0]} succeeds under our defrag, and it runs the same version`);
}

/** Under our defrag it does not answer any more, or with what no check can use; for a night from its last check. */
function isGone(world: World, server: SimulatedServer): boolean {
  return isUncheckable(server) && isOurs(server) && isLeased(world, server) && world.now < nightFrom(world, server);
}

/** When the night from its last check is over. A lease of a newer version does not say when that was. */
function nightFrom(world: World, server: SimulatedServer): number {
  const ofGroup = groupLeaseOf(world)?.nodes.find(({ runId }) => runId === server.runId());
  return (leaseOf(world, server)?.progress?.at ?? ofGroup?.at ?? world.now) + NIGHT;
}

export function isUncheckable({ reachable, answersWith }: SimulatedServer): boolean {
  return !reachable || answersWith !== undefined;
}

/**
 * A tick sees every server before it starts anything. A worker sees those of its letter, and hears of others when their workers have; for a
 * server under our defrag it waits until then. So it knows what was before the dispatch, and not what has happened since.
 */
function isKnown(world: World, node: string, wasBefore: boolean): boolean {
  if (world.workers === 0 || wasBefore) return true;
  const brakes = world.documents.get('brakes')?.value as
    | { readonly falls?: readonly { readonly node: string }[] }
    | undefined;
  return brakes?.falls?.some((fall) => homeOf(fall.node) === node) ?? false;
}

/** Nobody has checked it since the dispatch, as far as its lease says. */
function isUnseen(world: World, server: SimulatedServer): boolean {
  const { phase = '', nodes = [] } = groupLeaseOf(world) ?? {};
  const switched = nodes.map(({ runId, at }) => ({ runId, phase, progress: { at } }));
  return [...leasesOf(world), ...switched].some(
    ({ runId, phase, progress }) =>
      runId === server.runId() && isRunning(phase) && (progress?.at ?? 0) < world.dispatchedAt,
  );
}

/** Of a defrag that is being ended the last checks are not stored. So ends one of a newer version, too. */
function isRunning(phase: string): boolean {
  return phase === 'running' || phase === 'taking';
}

/** After a tick: servers that are kept from a defrag only by what has befallen another one of their version, or by a failover. */
export function countThoseThatWait(world: World): void {
  if (world.group.isFailing) countUnsettled(world, 'S1 a Cluster whose discovery fails');
  else if (world.group.isUnsettled) countUnsettled(world, 'S1 a Cluster that is unsettled');
  countAfterFalls(world);
}

function countAfterFalls(world: World): void {
  for (const { until, node } of world.falls)
    if (world.now < until) for (const _ of waitingFor(world, node)) count(world, 'S4 a version that fell');
  for (const [node, server] of world.servers) {
    if (!isGone(world, server)) continue;
    for (const _ of waitingFor(world, node)) count(world, 'S4 a version that cannot be checked');
  }
}

/** Servers of the same version that would get a defrag now. */
export function waitingFor(world: World, fallen: string): readonly string[] {
  const version = world.servers.get(fallen)?.traits.version;
  return [...world.servers].flatMap(([name, server]) => {
    const instance = instanceOf(name);
    const isReady = server.reachable && !server.forking && !server.isOn() && server.holes > 2 * WORTH;
    if (name === fallen || server.traits.version !== version || !isReady || isBusy(instance, server)) return [];
    return isWindowOpen(world.now, instance.window) ? [name] : [];
  });
}

function countUnsettled(world: World, law: string): void {
  if (!isWindowOpen(world.now, CART.window) || pauseOf(world, CART.id)) return;
  const waiting =
    viewOf(world)
      ?.flat()
      .map((address) => serverAt(world, address)) ?? [];
  if (waiting.some((one) => one?.reachable && !one.isOn() && one.holes > 2 * WORTH && !isBusy(CART, one)))
    count(world, law);
}

function isLeased(world: World, server: SimulatedServer): boolean {
  const switched = groupLeaseOf(world)?.nodes ?? [];
  return [...leasesOf(world), ...switched].some(({ runId }) => runId === server.runId());
}

/** Of the lease on it, or on its parameter group. */
function phaseOf(world: World, server: SimulatedServer): string {
  const group = server.traits.isManaged ? groupLeaseOf(world) : undefined;
  return (leaseOf(world, server) ?? group)?.phase ?? '';
}

/** What befalls a server. Its version waits for a night from its last check: a later one may not succeed. */
export function restart(world: World, node: string): void {
  const server = world.servers.get(node);
  if (!server) return;
  const until = nightFrom(world, server);
  const isEnding = !isRunning(phaseOf(world, server));
  if (isOurs(server) && isLeased(world, server))
    world.falls.push({ node, version: server.traits.version, at: world.now, until, isEnding });
  server.restart(world.now);
}

/** A replica is started: was there a primary that could have been? */
function isChosenFirst(world: World, node: string): void {
  const instance = instanceOf(node);
  const isReady = ({ role, reachable, forking, holes }: SimulatedServer) =>
    role === 'primary' && reachable && !forking && holes > 2 * WORTH;
  const peers = (shardOf(world, node) ?? []).map((peer) => serverAt(world, peer));
  if (peers.some((peer) => peer && isReady(peer) && !isBusy(instance, peer)))
    count(world, `S4 replicas first${instance === CART ? ' in a shard' : ''}`);
}

/** S4: replicas first. */
function replicasFirst(world: World, deed: Deed, server: SimulatedServer, fail: Fail): void {
  const instance = instanceOf(deed.node);
  if (server.role !== 'primary') {
    isChosenFirst(world, deed.node);
    return;
  }
  for (const name of shardOf(world, deed.node) ?? []) {
    const peer = serverAt(world, name);
    const isUntouched = !world.deeds.some(({ node }) => node === name) && world.answering.get(name) === name;
    const isReady = peer?.reachable && !peer.forking && !isBusy(instance, peer) && peer.holes > 2 * WORTH;
    const isOurs = peer?.settings.activedefrag === 'no' && world.now - peer.startedAt > MINUTE;
    const isSeen = world.documents.get(`history#${name}`) === undefined;
    if (peer?.role === 'replica' && isUntouched && isReady && isOurs && isSeen) fail('S4', `the replica ${name} waits`);
  }
}

/**
 * S5: what clients have waited for, by the servers' own costs, against what was promised. Not judged where a human has a say in the cycle:
 * who types a longer one wants it.
 */
export function isPromiseKept(world: World): void {
  for (const [node, server] of world.servers) {
    for (const { kind, at, took } of server.waits.splice(0)) {
      const promise = kind === 'purge' ? MAX_BLOCK : MAX_STALL + LONGEST_WORK;
      count(world, `S5 ${kind}`);
      if (took <= promise) continue;
      const what = `a ${kind} kept clients of ${node} waiting for ${took} ms, promised: ${promise} ms`;
      world.violations.push(`S5: ${what}, at ${new Date(at).toISOString()}`);
    }
  }
}

/** Nodes on which, as things stand when a tick begins, our defrag has to end in it: by the model's own calendar, clock and sizes. */
export function due(world: World): (node: string) => boolean {
  const nodes = [...world.servers].flatMap(([node, server]) => {
    if (server.traits.isManaged) return [];
    const isClosed = !isWindowOpen(world.now, instanceOf(node).window);
    const startedAt =
      world.deeds.findLast((deed) => deed.server === node && deed.kind === 'defrag-on')?.at ?? world.now;
    const isSpent = world.now - startedAt > LONGEST;
    const isDone = server.holes <= 0.011 * server.allocated && world.now - startedAt > 10 * SECOND;
    // What a lost table has left behind, and a human has switched off, is no run that ends.
    const isRun = server.taken().length > 0 && (server.isOn() || leaseOf(world, server) !== undefined);
    const isDropped = isDroppedNow(world, node, server);
    if (isDropped && !isClosed) count(world, 'S2 a lease on what no discovery names');
    return isClosed || isDropped || (isRun && (isSpent || isDone || server.forking)) ? [node] : [];
  });
  return (node) => nodes.includes(node);
}

/**
 * S2: whatever the job switched on is off, and every setting equal to before, at the latest one tick after the window closed, the goal was
 * met, or the lease expired. `isDue`: when the tick began.
 */
export function isCleanAfterTick(world: World, isDue: (node: string) => boolean): void {
  for (const [node, server] of world.servers) {
    if (server.traits.isManaged || server.taken().length === 0 || !isSeen(world, node, server)) continue;
    if (!leaseOf(world, server)) isRecognised(world, node, server);
    else if (isDue(node) || pauseOf(world, instanceOf(node).id))
      world.violations.push(`S2: ${node} still has ${server.taken()} of ours`);
  }
}

/** Whether a tick sees the server. Where no discovery names it, its lease alone says where it is. */
function isSeen(world: World, node: string, server: SimulatedServer): boolean {
  const address = placeOf(world, node);
  if (isUncheckable(server) || world.answering.get(address) !== node) return false;
  if (shardOf(world, address)?.includes(address)) return true;
  return leaseOf(world, server)?.node === address;
}

/** It has a lease at its address, and the discovery, or what is known while that fails, does not name it any more. */
function isDroppedNow(world: World, node: string, server: SimulatedServer): boolean {
  const address = placeOf(world, node);
  return shardOf(world, address)?.length === 0 && leaseOf(world, server)?.node === address;
}

const DAY = 24 * 60 * MINUTE;

/**
 * S11: what was ours and is still on is recognised and ended, or told. Ended where its record is there, which is always but for a table
 * that was lost; then it is told once a day.
 */
function isRecognised(world: World, node: string, server: SimulatedServer): void {
  const what = `${node} has ${server.taken()} of ours without a lease`;
  if (!world.hasLostTable) return void world.violations.push(`S2: ${what}`);
  // With a human's values among them nobody can tell whose they are.
  if (Object.values(server.owners).includes('human') || !server.isOn()) return;
  const isTold = world.deliveries.some(
    ({ at, alert }) =>
      alert.event === 'left-on' &&
      // A server whose address has moved is told of under another one.
      (alert.node === node || (world.hasMoved && idOf(alert) === instanceOf(node).id)) &&
      world.now - at < 2 * DAY,
  );
  // An alert that is lost on its way (the model lets a write lose against nobody) comes again the next day.
  const since = world.unrecognised.get(node) ?? world.now;
  if (isTold || world.topic.isDown) world.unrecognised.delete(node);
  else world.unrecognised.set(node, since);
  if (!isTold && world.now - since > DAY + 2 * 60 * MINUTE)
    world.violations.push(`S11: ${what}, and no person was told for a day`);
}

/** S6: one node's trouble never keeps another from being looked at and published. */
export function isEveryNodePublished(world: World, from: number): void {
  const seen = new Set(world.published.slice(from).flatMap(({ dimensions }) => Object.values(dimensions)));
  const written = [...world.servers.keys()].filter((node) => ![CART, CACHES].includes(instanceOf(node)));
  const found = world.servers.has(CART_SERVERS[0] ?? '') ? (viewOf(world)?.flat() ?? []) : [];
  const hasCaches = [...world.servers.values()].some(({ traits }) => traits.isManaged);
  if (world.group.isFailing && found.length > 0) count(world, 'S6 a discovery that fails');
  for (const node of [...written, ...found, ...(hasCaches ? listedIn(world.cloud) : [])]) {
    if (!seen.has(node)) world.violations.push(`S6: no metric of ${node} was published`);
  }
}

const ENDS = ['defrag-finished', 'defrag-aborted', 'action-ineffective', 'lease-lost', 'action-failed'];
const WORDS: Record<Deed['kind'], readonly string[]> = {
  'defrag-on': ['defrag-started', ...ENDS],
  // Of a run that the file has brought back at a restart.
  'defrag-off': [...ENDS, 'left-on'],
  purge: ['purged', ...ENDS],
  set: [],
};

/**
 * Not the first one after a defrag, whose end tells of it, however long a job that died in between has kept it waiting, and whoever has
 * switched it off.
 */
function isAlone(deed: Deed, { deeds }: World): boolean {
  const before = deeds.slice(0, deeds.indexOf(deed)).filter(({ server }) => server === deed.server);
  const latest = before.at(-1)?.kind;
  return deed.kind === 'purge' && latest !== 'defrag-off' && latest !== 'defrag-on';
}

function isOfPurge({ event, id }: Alert): boolean {
  return ['purged', 'action-ineffective'].includes(event) || id.includes('/action-failed/purge/');
}

/** The instance of the model, whatever it was called when the alert was made. */
function idOf({ node, instance }: Alert): string {
  const home = homeOf(node);
  const found = EVERY_INSTANCE_OF_MODEL.find(({ id, nodes }) => nodes.some((_, index) => nodeName(id, index) === home));
  return found?.id ?? instance;
}

/** S7: no action goes untold; at most one repeat for each job that died, which carries the same event id. */
export function isEveryDeedTold(world: World): void {
  // The outbox is lost with the table.
  if (world.hasLostTable) return;
  // A server whose address has moved is given back, and told, under another one.
  const isAbout = (alert: Alert, deed: Deed) =>
    world.hasMoved ? idOf(alert) === instanceOf(deed.node).id : alert.node === deed.node;
  for (const deed of world.deeds) {
    const isTold = world.deliveries.some(
      ({ at, alert }) => isAbout(alert, deed) && at >= deed.at && WORDS[deed.kind].includes(alert.event),
    );
    if (!isTold)
      world.violations.push(`S7: ${deed.kind} on ${deed.node} at ${new Date(deed.at).toISOString()} was never told`);
  }
  // By instance: a server whose address has moved is given back under another one.
  for (const { id } of EVERY_INSTANCE_OF_MODEL) {
    const starts = world.deeds.filter(({ node, kind }) => instanceOf(node).id === id && kind === 'defrag-on').length;
    const alerts = world.deliveries.filter(({ alert }) => idOf(alert) === id && ENDS.includes(alert.event));
    const ends = new Set(alerts.map(({ alert }) => alert.id)).size;
    // A purge that belongs to a defrag is told with its end.
    const purges = world.deeds.filter((deed) => instanceOf(deed.node).id === id && isAlone(deed, world)).length;
    const words = world.deliveries.filter(({ alert }) => idOf(alert) === id && isOfPurge(alert));
    const told = new Set(words.map(({ alert }) => alert.id)).size;
    if (told < purges) world.violations.push(`S7: ${purges} purges on ${id}, but only ${told} alerts`);
    if (ends + leftOf(world, id) < starts)
      world.violations.push(`S7: ${starts} runs on ${id}, but ${ends} ends were told`);
  }
  isNothingToldAgain(world);
}

/** Leases of servers that have restarted at an address that leads nowhere now: they are kept for their lifetime. */
function leftOf(world: World, instance: string): number {
  if (!world.hasMoved) return 0;
  const leases = [...world.documents].filter(([key]) => /^lease#[^#]*$/.test(key));
  return leases.filter(([, { value }]) => instanceOf((value as LeaseOfModel).node).id === instance).length;
}

function isNothingToldAgain(world: World): void {
  const times = new Map<string, Alert[]>();
  for (const { alert } of world.deliveries) times.set(alert.id, [...(times.get(alert.id) ?? []), alert]);
  // Nobody can know whether a job that died in the middle of sending was heard: each such death may repeat it once. And what the store
  // has failed to keep may be told at once, and again by whoever finds its lease; while it takes no writes, by each container, and
  // in a message with other news afterwards.
  const most = 1 + world.deaths + world.trouble.failures + (world.wasReadOnly ? 2 : 0);
  for (const [id, alerts] of times) {
    const event = alerts[0]?.event ?? '';
    // Without a store two jobs cannot know of each other, and nothing is done either.
    if (event === 'state-unavailable') continue;
    // What is seen and not done has no lease: two jobs at once may see it.
    const isSeen = /^(trouble-|node-)/.test(event);
    if (alerts.length > most + (isSeen ? world.overlaps : 0))
      world.violations.push(`S7: ${id} was told ${alerts.length} times`);
  }
}
