import type { Clock } from './clock.ts';
import type { Discover } from './discovery.ts';
import type { Log } from './log.ts';
import type { OpenSession } from './node-session.ts';
import type { ParameterGroups } from './parameter-groups.ts';
import type { AlertSink, MetricSink } from './sinks.ts';
import type { JobStore } from './state-store.ts';

/** Everything outside of Offpeak that a run needs. */
export interface Ports {
  readonly open: OpenSession;
  readonly discover: Discover;
  /** Loaded when a parameter group is acted on. */
  readonly parameterGroups?: () => Promise<ParameterGroups>;
  /** By node, the latest check last: whether it has answered. Kept between ticks, for the order of the next checks. */
  readonly sightings?: Map<string, boolean>;
  /** By node, the `run_id` of a server of which nothing is stored under another address. Kept between ticks, so that it is asked for once. */
  readonly newcomers?: Map<string, string>;
  readonly store: JobStore;
  readonly metrics: MetricSink;
  readonly alerts: AlertSink;
  readonly clock: Clock;
  readonly log: Log;
}
