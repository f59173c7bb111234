import { MINUTE, type Milliseconds } from '../config/units.ts';
import { OTHER_CONNECTION } from '../diagnosis/load.ts';
import type { Observation, Settings } from '../domain/observation.ts';
import type { Facts, StopReason } from '../domain/plan.ts';
import { present } from '../domain/present.ts';
import { blockerText } from '../format/blocker.ts';
import { managedBlockers } from '../guards/managed.ts';
import { serverBlockers } from '../guards/server-blockers.ts';
import type { GroupLease, LeasedNode } from './lease.ts';
import { IGNORE_BYTES, LOWER } from './values.ts';

// Pure: what one node says of the group's run, and what follows from the worst of all.

/** One node now. Without `facts` it did not answer, or the config does not name it any more. */
export interface NodeLook {
  readonly leased: LeasedNode;
  readonly facts?: Facts;
}

export interface Stop {
  readonly because: StopReason;
  readonly detail?: string;
}

/** AWS may take so long to apply a group; before that, an idle defragger says nothing. */
const APPLIED_WITHIN: Milliseconds = 3 * MINUTE;

const IDLE_LOOKS = 3;
const IDLE_HIT_SHARE = 0.01;
const IDLE_DROP_SHARE = 0.02;

/** Fragmentation that a finished defrag leaves (`stop-rule.ts`), where the group's own thresholds do not end it before. */
const LEFT_SHARE = 0.012;

/** The first reason to end the run; the nodes' own before that all of them are done. */
export function stopOf(lease: GroupLease, looks: readonly NodeLook[], now: number): Stop | undefined {
  if (now >= lease.expiresAt) return { because: 'duration-spent' };
  const [stop] = looks.flatMap((one) => nodeStop(lease, one, now) ?? []);
  return stop ?? endOf(lease, looks, now);
}

function nodeStop(lease: GroupLease, { leased, facts }: NodeLook, now: number): Stop | undefined {
  const at = (because: StopReason, what: string): Stop => ({ because, detail: `${leased.node}: ${what}` });
  if (!facts) return at('peers-silent', 'it does not answer, or the config does not name it any more');
  const { observation, policy, window, pause } = facts;
  if (pause) return at('paused', `${policy.id} is paused (${pause.reason})`);
  if (!policy.defrag.enabled || policy.defrag.through !== 'parameter-group')
    return at('disabled', `the config of ${policy.id} no longer lets Offpeak switch its parameter group`);
  if (!window.open && !lease.byHand) return at('window-closed', `the window of ${policy.id} has closed`);
  if (observation.runId !== leased.runId) return at('server-restarted', 'the server has restarted');
  const [blocker] = [...managedBlockers(policy.found, observation.node, now), ...loadBlockers(lease, leased, facts)];
  if (blocker) return at(blocker.kind, blockerText(blocker));
  if (observation.replication.role !== leased.role)
    return at('failover', `it is a ${observation.replication.role} now`);
  return isNearingLimit(leased, facts)
    ? at('eviction-pressure', 'RSS has grown, and is near the memory limit')
    : undefined;
}

function loadBlockers({ cpu }: GroupLease, { at, commands, cpuSeconds }: LeasedNode, { observation, policy }: Facts) {
  const ownDefrag = Math.max(cpu, observation.defrag.running ?? 0);
  return serverBlockers(observation, policy, {
    at,
    own: OTHER_CONNECTION,
    ownDefrag,
    ...present({ commands, cpuSeconds }),
  });
}

/** Values are copied before their slabs are free. A node near its limit from the start is why the run was started. */
function isNearingLimit({ rssBefore }: LeasedNode, { observation, diagnosis }: Facts): boolean {
  const isNear = diagnosis.findings.some(({ kind }) => kind === 'near-limit');
  return isNear && (observation.memory.usedMemoryRss ?? 0) > rssBefore * 1.05;
}

function endOf(lease: GroupLease, looks: readonly NodeLook[], now: number): Stop | undefined {
  const isGoal = ({ facts }: NodeLook) => facts !== undefined && isGoalMet(facts.observation, lease.applied);
  if (looks.every(isGoal)) return { because: 'goal-met' };
  const isDone = (look: NodeLook) => isGoal(look) || isIdle(look.leased, lease, now);
  return looks.every(isDone) ? { because: 'no-progress' } : undefined;
}

function isGoalMet({ memory }: Observation, applied: Settings): boolean {
  const { allocatorActive: active, allocatorAllocated: allocated } = memory;
  if (active === undefined || allocated === undefined) return false;
  const share = Math.max(LEFT_SHARE, Number(applied[LOWER] ?? 0) / 100);
  return active - allocated <= Math.max(Number(applied[IGNORE_BYTES] ?? 0), share * allocated);
}

function isIdle({ hasRun, idleLooks }: LeasedNode, { acquiredAt }: GroupLease, now: number): boolean {
  return idleLooks >= IDLE_LOOKS && (hasRun || now - acquiredAt > APPLIED_WITHIN);
}

/** A node as this check finds it. */
export function lookedAt(before: LeasedNode, { at, memory, activity, defrag }: Observation): LeasedNode {
  const { hits = 0, misses = 0, running = 0 } = defrag;
  const fragmentation = Math.max(0, (memory.allocatorActive ?? 0) - (memory.allocatorAllocated ?? 0));
  const moved = hits - before.hits;
  const examined = moved + misses - before.misses;
  const dropped = before.fragmentation - fragmentation;
  const isMoving = moved > IDLE_HIT_SHARE * examined || dropped > IDLE_DROP_SHARE * before.fragmentation;
  const { totalCommandsProcessed: commands, cpuSeconds } = activity;
  return {
    ...before,
    ...{ at, hits, misses, fragmentation, rss: memory.usedMemoryRss ?? before.rss },
    ...present({ commands, cpuSeconds }),
    hasRun: before.hasRun || running > 0 || moved > 0,
    idleLooks: running > 0 && isMoving ? 0 : before.idleLooks + 1,
  };
}

/** At the start of a lease. */
export function firstCheck(instance: string, observation: Observation): LeasedNode {
  const { node, runId, engine, replication, memory } = observation;
  const rss = memory.usedMemoryRss ?? 0;
  const nothing = { hits: 0, misses: 0, fragmentation: 0, at: 0 };
  const start: LeasedNode = {
    ...{ instance, node, role: replication.role, rssBefore: rss, rss, ...nothing, hasRun: false, idleLooks: 0 },
    ...{ ...present({ runId }), engine: { name: engine.name, version: engine.version } },
  };
  return { ...lookedAt(start, observation), hasRun: false, idleLooks: 0 };
}
