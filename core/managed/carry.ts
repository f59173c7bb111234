import { traitsOf } from '../actions/defrag/stop-reasons.ts';
import { counted } from '../actions/learning.ts';
import { MINUTE, type Milliseconds } from '../config/units.ts';
import { recorded, withAction } from '../domain/node-history.ts';
import { BRIEF_REST, BUSY } from '../domain/timings.ts';
import { bytesText } from '../format/units.ts';
import { DiscoveryFailure } from '../ports/discovery.ts';
import type { GroupReport } from '../ports/parameter-groups.ts';
import { updateHistory } from '../state/node-history.ts';
import { lookedAt, type NodeLook, type Stop, stopOf } from './judge.ts';
import type { GroupLease, HeldGroup } from './lease.ts';
import { restorationNow, sendRestoration, writeEnd } from './restore.ts';
import { resultOf } from './result.ts';
import { announce, type GroupRun, reportOf, write } from './run.ts';
import { isOn, SWITCH } from './values.ts';
import { groupText } from './words.ts';

/** A modification that a job has sent before it died has arrived by then, or never will. */
const ARRIVES_WITHIN: Milliseconds = 1 * MINUTE;

/** A group with a lease, in whatever phase a job has left it. @throws {DiscoveryFailure} {StateUnavailable} {AnotherJob} */
export async function carryOn(run: GroupRun, held: HeldGroup): Promise<GroupReport> {
  const { lease } = held;
  if (run.mode === 'plan') return reportOf(lease, `${groupText(lease)}: carry on: ${lease.phase}`);
  if (run.storeIsDown) return await endWithoutStore(run, lease);
  if (lease.holder !== run.holder && run.ports.clock.now() < lease.busyUntil)
    return reportOf(lease, `${groupText(lease)}: another job is working on it`);
  switch (lease.phase) {
    case 'taking':
      return await taken(run, held);
    case 'running':
      return await running(run, held);
    case 'closing':
      return await restore(run, held);
    case 'settling':
      return await settle(run, held);
  }
}

/** A job has died between the lease and its reading the values back: they say how far it had come. */
async function taken(run: GroupRun, held: HeldGroup): Promise<GroupReport> {
  const { lease } = held;
  if (isOn(await restorationNow(run, lease))) return await close(run, held, { because: 'interrupted' });
  if (run.ports.clock.now() - lease.acquiredAt < ARRIVES_WITHIN)
    return reportOf(lease, `${groupText(lease)}: a change that may still be under way is waited for`);
  await run.ports.store.remove(held.key, held.version);
  return { ...reportOf(lease, `${groupText(lease)}: nothing had been changed`), leased: [] };
}

async function running(run: GroupRun, held: HeldGroup): Promise<GroupReport> {
  const { lease } = held;
  const looks = await looksAt(run, lease);
  const stop = await stopNow(run, lease, looks);
  const nodes = looks.map(({ leased, facts }) => (facts ? lookedAt(leased, facts.observation) : leased));
  const seen = { ...lease, nodes };
  if (stop) return await close(run, { ...held, lease: seen }, stop);
  await write(run, { ...seen, holder: run.holder }, held);
  const left = nodes.reduce((sum, { fragmentation }) => sum + fragmentation, 0);
  return reportOf(
    lease,
    `${groupText(lease)}: carry on: ${nodes.length} nodes are defragmented, ${bytesText(left)} of fragmentation left`,
  );
}

/** AWS is asked in each tick of everything: a cluster may have joined the group, and a person may have switched it off. */
async function stopNow(run: GroupRun, lease: GroupLease, looks: readonly NodeLook[]): Promise<Stop | undefined> {
  if (run.release) return { because: run.release };
  const stop = stopOf(lease, looks, run.ports.clock.now());
  if (stop || !run.isWhole) return stop;
  try {
    return await stopByAws(run, lease);
  } catch (error) {
    // The nodes themselves are watched all the same.
    if (!(error instanceof DiscoveryFailure)) throw error;
    run.ports.log.warn('a parameter group could not be asked for', { group: lease.group, error: error.message });
    return undefined;
  }
}

async function stopByAws(run: GroupRun, lease: GroupLease): Promise<Stop | undefined> {
  const [parameters, users] = await Promise.all([run.groups.read(lease), run.groups.users(lease)]);
  if (parameters.find(({ name }) => name === SWITCH)?.value !== 'yes') return { because: 'switched-off' };
  const known = new Set(lease.nodes.map(({ node }) => node.toLowerCase()));
  const joined = users.find(
    ({ cluster, nodes }) => !lease.clusters.includes(cluster) || !nodes.every((node) => known.has(node)),
  );
  return joined && { because: 'group-changing', detail: `nodes of ${joined.cluster} have joined the parameter group` };
}

async function looksAt(run: GroupRun, { nodes }: GroupLease): Promise<readonly NodeLook[]> {
  return await Promise.all(
    nodes.map(async (leased) => {
      const facts = await run.look(leased.node);
      return facts ? { leased, facts } : { leased };
    }),
  );
}

async function close(run: GroupRun, held: HeldGroup, { because, detail }: Stop): Promise<GroupReport> {
  const after: GroupLease = {
    ...held.lease,
    phase: 'closing',
    closing: because,
    ...(detail !== undefined && { detail }),
    holder: run.holder,
    busyUntil: run.ports.clock.now() + BUSY,
  };
  return await restore(run, await writeEnd(run, after, held));
}

/** Sent again by each job that finds it: that changes nothing twice. Only values that were read back end it. */
async function restore(run: GroupRun, held: HeldGroup): Promise<GroupReport> {
  const { lease } = held;
  const { leftAlone } = await sendRestoration(run, lease);
  if (isOn(await restorationNow(run, lease)))
    return reportOf(lease, `${groupText(lease)}: not restored yet; the next tick tries again`);
  const changed = Object.keys(leftAlone).length > 0;
  const restoredAt = run.ports.clock.now();
  const after: GroupLease = {
    ...{ ...lease, phase: 'settling', busyUntil: restoredAt, restoredAt },
    ...(changed && { leftAlone }),
  };
  return await settle(run, await write(run, after, held));
}

/** The group has its prior values: the lease stands until every node has them, and the report is in the outbox. */
async function settle(run: GroupRun, held: HeldGroup): Promise<GroupReport> {
  const { lease } = held;
  const [users, looks] = await Promise.all([run.groups.users(lease), looksAt(run, lease)]);
  const unsynced = users.filter(({ isInSync }) => !isInSync).map(({ cluster }) => cluster);
  const busy = looks
    .filter(({ facts }) => (facts?.observation.defrag.running ?? 0) > 0)
    .map(({ leased }) => leased.node);
  if (unsynced.length + busy.length > 0)
    return reportOf(
      lease,
      `${groupText(lease)}: restored; waits for ${[...new Set([...unsynced, ...busy])].join(', ')}`,
    );
  const nodes = looks.map(({ leased, facts }) =>
    facts ? { ...leased, rss: facts.observation.memory.usedMemoryRss ?? leased.rss } : leased,
  );
  const ended = { ...lease, nodes };
  await learn(run, ended);
  if (!(await announce(run, ended, { kind: 'ended' })))
    return reportOf(lease, `${groupText(lease)}: its alert could not be stored`);
  await run.ports.store.remove(held.key, held.version);
  return {
    ...reportOf(
      lease,
      `${groupText(lease)}: restored, and in sync: ${lease.detail ?? traitsOf(lease.closing ?? 'interrupted').says}`,
    ),
    leased: [],
  };
}

/** The cooldown of each node, and what the run has returned there. A job that dies in between writes the same again. */
async function learn(run: GroupRun, lease: GroupLease): Promise<void> {
  const { nodes, closing: because = 'interrupted', predicted } = lease;
  const { cools, teaches, isJudged } = traitsOf(because);
  const now = run.ports.clock.now();
  const returned = nodes.reduce((sum, { rss, rssBefore }) => sum + rssBefore - rss, 0);
  const kind = returned >= predicted / 4 ? 'improved' : 'unchanged';
  for (const node of nodes) {
    await updateHistory(run.ports.store, node.node, (history) => {
      // A canary's result says that its server has survived it.
      const known = isJudged ? recorded(history, 'defrag', resultOf(lease, node, now)) : history;
      if (cools === 'not') return known;
      const ineffective = teaches ? counted(history.byAction.defrag, { kind }) : {};
      const change = cools === 'fully' ? { lastAt: now, ...ineffective } : { restUntil: now + BRIEF_REST };
      return withAction(known, 'defrag', change);
    });
  }
}

/** By what this process last knew of the lease. Its document stays, so that the next job that can read it finds the values restored. */
async function endWithoutStore(run: GroupRun, lease: GroupLease): Promise<GroupReport> {
  const looks = await looksAt(run, lease);
  const stop = run.release ? { because: run.release } : stopOf(lease, looks, run.ports.clock.now());
  const isDue = lease.phase === 'closing' || (lease.phase === 'running' && stop !== undefined);
  if (isDue) await sendRestoration(run, lease);
  return reportOf(lease, `${groupText(lease)}: ${isDue ? 'restored without' : 'carry on without'} the state store`);
}
