import type { MetricDefinition } from './metric.ts';

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
