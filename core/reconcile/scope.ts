import type { InstanceConfig } from '../config/schema.ts';
import type { Milliseconds } from '../config/units.ts';
import type { Outcome } from '../domain/outcome.ts';
import { covers } from '../domain/pause.ts';
import type { StopReason } from '../domain/plan.ts';

/** Which nodes a tick is about. A tick of some nodes says nothing about the job as a whole. */
export type Scope =
  | { readonly kind: 'fleet' }
  | { readonly kind: 'nodes'; readonly nodes: readonly NodeName[] }
  /** Every node of these instances, and of those that they discover. */
  | { readonly kind: 'instances'; readonly ids: readonly string[] }
  /** Every node with an Offpeak lease: the number of leases after such a tick is the number of all leases. */
  | { readonly kind: 'leased-nodes'; readonly nodes: readonly NodeName[] };

export const WHOLE_FLEET: Scope = { kind: 'fleet' };

/**
 * Which part of a tick an invocation has, where a queue shares the nodes of a stage among several functions. What concerns the stage as a whole
 * (pauses, alerts that wait, leases on nodes that the config no longer names, the heartbeat) is the business of the dispatch.
 */
export type Part =
  /** Discovers the nodes and hands them out; `nodes`: how many. */
  | { readonly kind: 'dispatch'; readonly nodes: number }
  /** Checks the nodes of one message; `at`: when the dispatch began its tick (epoch ms); `nodes`: of the whole stage. */
  | {
      readonly kind: 'batch';
      readonly at: number;
      readonly nodes: number;
      /** Nodes that the config names in other batches; absent where it also discovers Clusters, whose nodes this worker does not know. */
      readonly others?: readonly string[];
    };

/** How a tick is run; what it is run on is the config, what it is run with are the ports. */
export interface TickOptions {
  /** `watch`: observe and diagnose. `plan`: decide as well, observe twice where it matters. `act`: carry it out, and publish. */
  readonly mode: 'watch' | 'plan' | 'act';
  readonly scope: Scope;
  /** Absent: all of it. */
  readonly part?: Part;
  /** This invocation's name in leases. */
  readonly holder: string;
  /** Time left to the invocation, in ms. */
  readonly remaining: () => Milliseconds;
  /** For how long a defrag that is started now can be monitored, in ms; without it, until its window closes. */
  readonly attended?: () => Milliseconds;
  /** Epoch ms: until then every window counts as open, because a person asks for it (`run --now`). All other guards hold. */
  readonly openUntil?: number;
  readonly interrupted?: () => boolean;
  /** End every lease, whatever speaks for carrying on. */
  readonly release?: StopReason;
}

export interface NodeName {
  readonly instance: string;
  readonly node: string;
}

export interface Tick {
  /** Epoch ms. */
  readonly at: number;
  readonly stage: string;
  /** With their nodes, also where a discovery has found them: what outcomes and commands name. */
  readonly instances: readonly InstanceConfig[];
  /** Instances of the config whose nodes could not be found now; `remarks` say why. */
  readonly undiscovered: readonly string[];
  readonly outcomes: readonly Outcome[];
  /** Nodes with an Offpeak lease after this tick. */
  readonly leased: readonly NodeName[];
  /** Nothing is under way, and nothing is left to do that another tick soon could do. */
  readonly idle: boolean;
  /** Why the state could not be read: nothing was planned. */
  readonly problem?: string;
  /** What concerns the job as a whole, in sentences: pauses of instances that the config does not have. */
  readonly remarks: readonly string[];
  /** Metrics and alerts that could not be delivered. */
  readonly undelivered: number;
  /**
   * What has gone wrong in the job's own bookkeeping, and mistakes in discoveries, which stay until a person fixes them; all the rest was done
   * and published.
   */
  readonly troubles: readonly string[];
}

/** The nodes that a tick of this scope is about. */
export function inScope<
  T extends { readonly instance: { readonly id: string }; readonly node: { readonly id: string } },
>(targets: readonly T[], scope: Scope): readonly T[] {
  if (scope.kind === 'fleet') return targets;
  if (scope.kind === 'instances')
    return targets.filter(({ instance }) => scope.ids.some((id) => covers(id, instance.id)));
  const chosen = new Set(scope.nodes.map(({ node }) => node));
  return targets.filter(({ node }) => chosen.has(node.id));
}

/**
 * Whether a tick of this scope asks anew where the nodes of an instance are. Leases are polled every few seconds, and the tick that found them
 * has just asked; instances that the tick is not about are only to be known.
 *
 * @param instance id of the config
 */
export function isAsked(instance: string, scope: Scope): boolean {
  if (scope.kind === 'fleet') return true;
  if (scope.kind === 'leased-nodes') return false;
  const ids = scope.kind === 'instances' ? scope.ids : scope.nodes.map((node) => node.instance);
  return ids.some((id) => covers(instance, id));
}
