/**
 * Every metric that Offpeak publishes: the one place where a name, a unit and a dimension are written. The job, the
 * alarms, the dashboard and the README's table read it from here.
 *
 * Metrics cost the most ($0.30 each a month, for every combination of dimensions, by the hour): `core` is what the alarms need,
 * `detailed` is what an investigation needs, `fork` and `action` exist only in hours with a fork or an action. Dimensions stay
 * bounded: never a version, a run id or a reason.
 */
export const NAMESPACE = 'Offpeak';
/** Before the name of a metric that is sent by OTLP, which has no namespaces: `offpeak_UsedMemory`. */
export const OTLP_PREFIX = 'offpeak_';

export const DIMENSION = { stage: 'Stage', instance: 'Instance', node: 'Node' } as const;
/** Of `TROUBLE_METRIC` only: which trouble, and in how many checks in a row it counts. */
export const TROUBLE_DIMENSION = { trouble: 'Trouble', checks: 'Checks' } as const;

/** The subset of CloudWatch's StandardUnit that Offpeak uses. */
export type MetricUnit = 'Bytes' | 'Count' | 'Count/Second' | 'Milliseconds' | 'None' | 'Percent';

/**
 * `core` and `detailed` follow an instance's `metrics` setting; `action` and `job` are always published, `fork` while a fork runs, `fleet`
 * where there are too many nodes for alarms of their own, `queue` where several functions share them (see config/fleet.ts).
 */
export type MetricSet = 'core' | 'detailed' | 'fork' | 'action' | 'job' | 'discovery' | 'queue' | 'fleet';

export interface MetricDefinition {
  readonly name: string;
  readonly unit: MetricUnit;
  readonly set: MetricSet;
  /** What one datum says, for the README's table and the dashboard. */
  readonly meaning: string;
}

/** Per node, with the dimensions Stage, Instance and Node. */
export const NODE_METRICS = {
  reachable: { name: 'Reachable', unit: 'Count', set: 'core', meaning: '1 when the node answered, 0 when it did not' },
  usedMemory: { name: 'UsedMemory', unit: 'Bytes', set: 'core', meaning: 'used_memory: what maxmemory limits' },
  usedMemoryRss: {
    name: 'UsedMemoryRss',
    unit: 'Bytes',
    set: 'core',
    meaning: 'used_memory_rss: what the kernel kills on',
  },
  memFragmentationRatio: {
    name: 'MemFragmentationRatio',
    unit: 'None',
    set: 'core',
    meaning: 'used_memory_rss ÷ used_memory, at full precision',
  },
  externalFragmentation: {
    name: 'ExternalFragmentation',
    unit: 'Bytes',
    set: 'core',
    meaning: 'allocator_active − allocator_allocated: external fragmentation, which active defrag returns',
  },
  freePages: {
    name: 'FreePages',
    unit: 'Bytes',
    set: 'core',
    meaning:
      'allocator_resident − allocator_active, and allocator_muzzy: free pages of the allocator, which MEMORY PURGE returns',
  },
  dataMemory: {
    name: 'DataMemory',
    unit: 'Bytes',
    set: 'detailed',
    meaning: 'keys, values, their dictionaries and what the server had allocated at its start',
  },
  bufferMemory: {
    name: 'BufferMemory',
    unit: 'Bytes',
    set: 'detailed',
    meaning: "buffers of clients, replicas, the backlog, the Cluster's bus and the AOF",
  },
  scriptMemory: {
    name: 'ScriptMemory',
    unit: 'Bytes',
    set: 'detailed',
    meaning: 'scripts and functions, with their Lua VMs',
  },
  processOverhead: {
    name: 'ProcessOverhead',
    unit: 'Bytes',
    set: 'detailed',
    meaning:
      'used_memory_rss outside of the allocator, without the Lua VMs: no action returns it; may be negative. With DataMemory, BufferMemory, ScriptMemory, ExternalFragmentation and FreePages it is RSS',
  },
  forkMemory: {
    name: 'ForkMemory',
    unit: 'Bytes',
    set: 'fork',
    meaning: 'current_cow_size: what a running fork has in RAM beside RSS; absent where none runs',
  },
  memoryLimitUsed: {
    name: 'MemoryLimitUsed',
    unit: 'Percent',
    set: 'detailed',
    meaning:
      "RSS and a running fork's pages ÷ memoryLimit, or the machine's memory where that is less or all that is known",
  },
  usedMemoryPeak: {
    name: 'UsedMemoryPeak',
    unit: 'Bytes',
    set: 'detailed',
    meaning: "used_memory_peak: the most since the server's start",
  },
  commandsPerSecond: {
    name: 'CommandsPerSecond',
    unit: 'Count/Second',
    set: 'detailed',
    meaning: "since the tick before, without Offpeak's own",
  },
  mainThreadCpu: {
    name: 'MainThreadCpu',
    unit: 'Percent',
    set: 'detailed',
    meaning:
      'share of a processor that the main thread has used since the tick before; before Redis 6.2, of the process',
  },
  activeDefragRunning: {
    name: 'ActiveDefragRunning',
    unit: 'Percent',
    set: 'detailed',
    meaning: 'active_defrag_running: the CPU share that active defrag may use now, 0 when it is idle',
  },
  activeDefragHits: {
    name: 'ActiveDefragHits',
    unit: 'Count',
    set: 'detailed',
    meaning: "values that active defrag has moved since the server's start; graph with DIFF()",
  },
  activeDefragMisses: {
    name: 'ActiveDefragMisses',
    unit: 'Count',
    set: 'detailed',
    meaning: "values that active defrag has examined and not moved since the server's start; graph with DIFF()",
  },
  activeDefragKeyHits: {
    name: 'ActiveDefragKeyHits',
    unit: 'Count',
    set: 'detailed',
    meaning: "keys of which active defrag has moved a part since the server's start; graph with DIFF()",
  },
  activeDefragKeyMisses: {
    name: 'ActiveDefragKeyMisses',
    unit: 'Count',
    set: 'detailed',
    meaning: "keys that active defrag has examined and left as they were since the server's start; graph with DIFF()",
  },
  reclaimedMemory: {
    name: 'ReclaimedMemory',
    unit: 'Bytes',
    set: 'action',
    meaning: 'RSS that a finished action has returned, growth of the data left out; negative when RSS grew',
  },
  predictedReclaim: {
    name: 'PredictedReclaim',
    unit: 'Bytes',
    set: 'action',
    meaning: 'RSS that the same action was predicted to return',
  },
  blockedTime: {
    name: 'BlockedTime',
    unit: 'Milliseconds',
    set: 'action',
    meaning: 'how long MEMORY PURGE blocked the server',
  },
  defragStall: {
    name: 'DefragStall',
    unit: 'Milliseconds',
    set: 'action',
    meaning: 'the longest active-defrag-cycle that the server has recorded during a lease',
  },
} as const satisfies Record<string, MetricDefinition>;

/**
 * Per node and trouble, with `metrics: { send: otlp }` only, and only while the trouble is found: what the PromQL alarms read. The job judges by the
 * thresholds of the node's instance, so that one query watches all instances.
 */
export const TROUBLE_METRIC = {
  name: 'NodeTrouble',
  unit: 'Count',
  meaning: '1 while a check finds this trouble of the node; absent otherwise',
} as const;

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

/** One value at one time, ready for a sink. `value` is finite; sinks drop and report what is not. */
export interface Metric {
  readonly name: string;
  readonly unit: MetricUnit;
  readonly value: number;
  readonly dimensions: Readonly<Record<string, string>>;
  /** Epoch milliseconds. */
  readonly at: number;
}
