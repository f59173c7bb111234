import type { InstanceConfig, Schedule } from '../config/schema.ts';
import type { Alert } from './alert.ts';
import type { NodeChange } from './discovered.ts';
import type { Metric } from './metric.ts';
import type { Outcome } from './outcome.ts';

/** What a node had counted at an earlier tick: with it, a tick measures rates. */
export interface Counters {
  /** Epoch ms. */
  readonly at: number;
  /** Another process has counted from zero. */
  readonly runId?: string;
  readonly commands?: number;
  /** See `Activity.cpuSeconds`. */
  readonly cpuSeconds?: number;
}

/** What a dispatch knows of the whole stage: nodes that it hands out, and leases that are held. */
interface Dispatched {
  readonly kind: 'dispatch';
  readonly nodes: number;
  readonly leases: number;
}

export interface ReportInput {
  readonly stage: string;
  /** Epoch milliseconds: the first check, and now. */
  readonly startedAt: number;
  readonly finishedAt: number;
  /** One for each node. */
  readonly outcomes: readonly Outcome[];
  readonly instances: readonly InstanceConfig[];
  /** The state could not be read: nothing was planned in the whole tick. */
  readonly problem?: { readonly why: string };
  /** Nodes are counted for the alarms of a fleet: see config/fleet.ts. Absent: they are not. */
  readonly isFleet?: boolean;
  /** Where a queue shares the nodes among several functions: what is counted adds up over the batches of a tick, at its time (epoch ms). */
  readonly part?: { readonly kind: 'batch'; readonly at: number } | Dispatched;
  /** Of discoveries, since their last inventories; and what is not named. */
  readonly changes?: readonly NodeChange[];
  /** Instances whose nodes could not be discovered now; absent where none is discovered, or only a part of the fleet was asked for. */
  readonly undiscovered?: number;
  /** Where alarms on metrics sent by OTLP watch each node: see `TROUBLE_METRIC`. */
  readonly watched?: Pick<Schedule, 'every'>;
  /** By node, of the tick before; only of nodes with `metrics: detailed`. */
  readonly counters?: ReadonlyMap<string, Counters>;
}

/** What a tick reports: states as metrics, which the alarms judge, and events as alerts. */
export interface RunReport {
  readonly metrics: readonly Metric[];
  readonly alerts: readonly Alert[];
}

/** The config of an outcome's instance; undefined for a lease on a node that the config no longer names. */
export function configOf(
  { instance }: Pick<Outcome, 'instance'>,
  { instances }: Pick<ReportInput, 'instances'>,
): InstanceConfig | undefined {
  return instances.find(({ id }) => id === instance);
}
