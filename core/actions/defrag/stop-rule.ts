import { MIB, type Percent } from '../../config/units.ts';
import { OTHER_CONNECTION } from '../../diagnosis/load.ts';
import type { Blocker } from '../../domain/blocker.ts';
import type { Lease } from '../../domain/lease.ts';
import type { Observation } from '../../domain/observation.ts';
import type { Facts, Skip, StopDefrag, StopPlan, StopReason } from '../../domain/plan.ts';
import type { Prediction } from '../../domain/prediction.ts';
import { present } from '../../domain/present.ts';
import { managedBlockers } from '../../guards/managed.ts';
import { serverBlockers } from '../../guards/server-blockers.ts';
import { identify } from '../../leases/identity.ts';
import { wasRestored, wasTaken } from './own-settings.ts';
import { isOverrunLasting } from './pace.ts';
import { hasStoppedMoving, nextProgress, underWayIn } from './progress.ts';

/** A finished defrag: hardly more than a heap ever gets to (1.1 %). Where it stops before, it returns too little for its work (progress.ts). */
const GOAL_SHARE = 0.012;

const GOAL_FLOOR = 1 * MIB;

/** What to do with a node that has an Offpeak lease, after this check of it. */
export function planLeased(facts: Facts, lease: Lease): Skip | StopPlan {
  const stop = stopReason(facts, lease);
  if (!stop) {
    const underWay = underWayIn(lease, facts.observation);
    return { kind: 'skip', reason: 'defragmenting', until: lease.expiresAt, underWay };
  }
  const action: StopDefrag = { kind: 'stop-defrag', ...stop };
  return { kind: 'act', action, reason: stop.because, predicted: lease.predicted };
}

function stopReason(facts: Facts, lease: Lease): Omit<StopDefrag, 'kind'> | undefined {
  const { observation, policy, window, pause, now } = facts;
  const before = reasonBefore(lease, observation);
  if (before) return { because: before };
  if (lease.phase === 'taking' && !wasTaken(lease, observation)) return { because: 'never-started' };
  if (pause) return { because: 'paused', pause: { until: pause.until, reason: pause.reason, by: pause.by } };
  if (!policy.defrag.enabled) return { because: 'disabled' };
  if (!window.open && !lease.byHand) return { because: 'window-closed' };
  // Before its time is spent: the window ended where AWS' began.
  const managed = managedBlockers(policy.found, observation.node, now);
  if (managed[0]) return { because: managed[0].kind, blockers: managed };
  if (now >= lease.expiresAt) return { because: 'duration-spent' };
  const blockers = leasedBlockers(facts, lease);
  const [first] = blockers;
  if (first) return { because: first.kind, blockers };
  const because = endOfRun(observation, lease);
  return because && { because };
}

/** What a job has decided before this check; and a restart, which ends by itself what a newer version has begun. */
function reasonBefore(lease: Lease, observation: Observation): StopReason | undefined {
  const isRestarted = identify(lease, observation) !== 'same';
  if (lease.closing && !(isRestarted && lease.closing === 'newer-version')) return lease.closing;
  return isRestarted ? 'server-restarted' : undefined;
}

/** What the server itself shows: that a person has ended the run, or that it should end. */
function endOfRun(observation: Observation, lease: Lease): StopReason | undefined {
  const isOff = observation.defrag.settings?.activedefrag === 'no';
  // Between off and on again at another pace: the job has ended there.
  if (isOff && lease.repacing) return 'interrupted';
  if (isOff || wasRestored(lease, observation)) return 'switched-off';
  const progress = nextProgress(lease, observation);
  if (isOverrunLasting(progress)) return 'stall-spent';
  if (isGoalMet(observation)) return 'goal-met';
  return hasStoppedMoving(observation, lease, progress) ? 'no-progress' : undefined;
}

function leasedBlockers({ observation, policy }: Facts, lease: Lease): readonly Blocker[] {
  const { at, commands, cpuSeconds } = lease.progress;
  const blockers = serverBlockers(observation, policy, {
    at,
    own: OTHER_CONNECTION,
    ownDefrag: ownDefragCpu(observation, policy),
    ...present({ commands, cpuSeconds }),
  });
  const isUnnoticedFailover =
    observation.replication.role !== lease.role && !blockers.some(({ kind }) => kind === 'failover');
  return isUnnoticedFailover ? [...blockers, { kind: 'failover' }] : blockers;
}

/**
 * What Offpeak's defrag may have of the main thread: what the server says that it aims at, or what it was allowed, whichever is more. It
 * may have ended between two checks (`active_defrag_running:0`), and a person may have raised it.
 */
function ownDefragCpu({ defrag }: Observation, policy: Facts['policy']): Percent {
  const allowed = Number(defrag.settings?.['active-defrag-cycle-max'] ?? policy.defrag.maxCpu);
  return Math.max(defrag.running ?? 0, Number.isFinite(allowed) ? allowed : policy.defrag.maxCpu);
}

function isGoalMet({ memory }: Observation): boolean {
  const { allocatorActive: active, allocatorAllocated: allocated } = memory;
  if (active === undefined || allocated === undefined) return false;
  return active - allocated <= Math.max(GOAL_FLOOR, GOAL_SHARE * allocated);
}

/** What was started ends, whatever else may speak for carrying on. */
export function stopping({ predicted }: { readonly predicted: Prediction }, because: StopReason): StopPlan {
  return { kind: 'act', action: { kind: 'stop-defrag', because }, reason: because, predicted };
}
