import type { MetricDefinition } from './metric.ts';

/** For the job as a whole, with the dimension Stage only. */
export const JOB_METRICS = {
  heartbeat: { name: 'Heartbeat', unit: 'Count', set: 'job', meaning: '1 for each completed tick' },
  nodesObserved: { name: 'NodesObserved', unit: 'Count', set: 'job', meaning: 'nodes that answered in this tick' },
  nodesUnreachable: { name: 'NodesUnreachable', unit: 'Count', set: 'job', meaning: 'nodes that did not' },
  nodesNotReached: {
    name: 'NodesNotReached',
    unit: 'Count',
    set: 'job',
    meaning: 'nodes that were not checked, because no time was left: their state is unknown',
  },
  nodesFailed: {
    name: 'NodesFailed',
    unit: 'Count',
    set: 'job',
    meaning: 'nodes on which the job itself failed',
  },
  nodesMisconfigured: {
    name: 'NodesMisconfigured',
    unit: 'Count',
    set: 'job',
    meaning:
      'nodes that the job cannot check because of its own config: their state is unknown, and says nothing of the server',
  },
  undiscovered: {
    name: 'InstancesUndiscovered',
    unit: 'Count',
    set: 'discovery',
    meaning: 'instances of the config whose nodes could not be discovered now; absent where none is discovered',
  },
  dispatched: {
    name: 'NodesDispatched',
    unit: 'Count',
    set: 'queue',
    meaning: 'nodes that the dispatch hands out to the workers in this tick; absent without a queue',
  },
  reported: {
    name: 'NodesReported',
    unit: 'Count',
    set: 'queue',
    meaning:
      'nodes of which a worker knows the state in this tick, at the time of its dispatch; absent without a queue',
  },
  leasesHeld: {
    name: 'LeasesHeld',
    unit: 'Count',
    set: 'job',
    meaning: "nodes on which Offpeak's defrag is on after this tick",
  },
  duration: { name: 'TickDuration', unit: 'Milliseconds', set: 'job', meaning: 'from the first check to the report' },
} as const satisfies Record<string, MetricDefinition>;

/** Counts and sums over all nodes, with the dimension Stage only: each node is judged by its own instance's thresholds. */
export const FLEET_METRICS = {
  fragmentedWarning: {
    name: 'NodesFragmentedWarning',
    unit: 'Count',
    set: 'fleet',
    meaning: 'nodes above the warning ratio, and with at least its floor of fragmentation',
  },
  fragmentedCritical: {
    name: 'NodesFragmentedCritical',
    unit: 'Count',
    set: 'fleet',
    meaning: 'nodes above the critical ratio, and with at least its floor of fragmentation',
  },
  nearLimit: {
    name: 'NodesNearLimit',
    unit: 'Count',
    set: 'fleet',
    meaning:
      "nodes whose RSS, with a running fork's pages, is at or above the critical share of memoryLimit, or of the machine's memory",
  },
  usedMemory: {
    name: 'FleetUsedMemory',
    unit: 'Bytes',
    set: 'fleet',
    meaning: 'used_memory of all nodes that were observed, together',
  },
  usedMemoryRss: {
    name: 'FleetUsedMemoryRss',
    unit: 'Bytes',
    set: 'fleet',
    meaning: 'used_memory_rss of all nodes that were observed, together',
  },
  reclaimedMemory: {
    name: 'FleetReclaimedMemory',
    unit: 'Bytes',
    set: 'fleet',
    meaning: 'RSS that the actions which have finished in this tick returned, on all nodes together',
  },
} as const satisfies Record<string, MetricDefinition>;
