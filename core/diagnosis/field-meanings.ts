import { LUA_PLACES, type Versions } from './lua-place.ts';

/** What a field means to one range of versions. */
export interface Meaning {
  readonly fields: readonly string[];
  readonly meaning: string;
  /** Absent: the same in every version that prints it, KeyDB's and Valkey's included. */
  readonly of?: readonly Versions[];
  /** File and function of Redis' source, or the issue that changed it. */
  readonly source: string;
}

const OVERHEAD = 'object.c getMemoryOverheadData';
const VM = ['used_memory_lua', 'used_memory_vm_eval', 'used_memory_vm_functions', 'used_memory_vm_total'] as const;

/** What the fields that the account reads mean. Redis' source was read at 4.0.14, 5.0.14, 6.2.14, 7.0.15 and 7.4, Valkey's at 8.0.1. */
export const MEANINGS: readonly Meaning[] = [
  {
    fields: ['used_memory'],
    meaning: 'what the server has allocated, by its own count at the moment of INFO; `maxmemory` limits it',
    source: 'zmalloc.c zmalloc_used_memory',
  },
  {
    fields: ['used_memory_rss'],
    meaning: 'pages of the process in RAM, up to 100 ms old; the kernel kills by it. A forked child is not in it',
    source: 'server.c cronUpdateMemoryStats; redis#10842',
  },
  {
    fields: ['used_memory_peak'],
    meaning: "the most used_memory since the server's start",
    source: 'server.c serverCron',
  },
  {
    fields: ['used_memory_overhead'],
    meaning:
      'all of used_memory that is not keys and values. Buffers that change during INFO can make it larger than used_memory',
    source: `${OVERHEAD}; redis#13973`,
  },
  { fields: ['used_memory_startup'], meaning: 'used_memory as the server had started', source: OVERHEAD },
  {
    fields: ['mem_clients_normal'],
    meaning: 'query and output buffers of all clients but replicas: Pub/Sub, MONITOR, the link to the primary',
    source: `${OVERHEAD}; redis#9269, redis#11573`,
  },
  {
    fields: ['mem_clients_slaves'],
    meaning: 'output buffers of replicas, one by one',
    of: [{ engine: 'redis', below: 7 }, { engine: 'keydb' }],
    source: OVERHEAD,
  },
  {
    fields: ['mem_clients_slaves'],
    meaning: 'what the buffer that all replicas share holds beyond `repl-backlog-size`',
    of: [{ engine: 'redis', from: 7 }, { engine: 'valkey' }],
    source: OVERHEAD,
  },
  {
    fields: ['mem_replication_backlog'],
    meaning: 'the backlog, allocated as a whole and touched as it fills',
    of: [{ engine: 'redis', below: 7 }, { engine: 'keydb' }],
    source: OVERHEAD,
  },
  {
    fields: ['mem_replication_backlog'],
    meaning: 'what the shared buffer holds up to `repl-backlog-size`, and its index',
    of: [{ engine: 'redis', from: 7 }, { engine: 'valkey' }],
    source: OVERHEAD,
  },
  {
    fields: ['mem_total_replication_buffers'],
    meaning: 'the shared buffer as a whole: it overlaps with the two above, and is read only without them',
    source: 'server.c genRedisInfoString, repl_buffer_mem',
  },
  {
    fields: ['mem_replica_full_sync_buffer', 'mem_replicas_repl_buffer'],
    meaning: 'on a replica, what its primary sends during a full sync by two channels. Redis 8.0 and Valkey 9.1',
    source: 'replication.c; printed by the captured Redis 8.2.3 and Valkey 9.1.2',
  },
  { fields: ['mem_cluster_links'], meaning: 'buffers of the Cluster bus. Since 7.0', source: OVERHEAD },
  {
    fields: ['mem_aof_buffer'],
    meaning: 'what is not yet written to the AOF; before 7.0 with the buffer of a rewrite. `maxmemory` leaves it out',
    source: `${OVERHEAD}; evict.c freeMemoryGetNotCountedMemory`,
  },
  {
    fields: ['mem_not_counted_for_evict'],
    meaning: "the AOF's buffer and replicas' buffers: on top of `maxmemory`",
    source: 'evict.c freeMemoryGetNotCountedMemory',
  },
  {
    fields: ['used_memory_scripts_eval', 'used_memory_scripts', 'used_memory_functions'],
    meaning:
      'the texts of scripts and functions. Before 7.0 `used_memory_scripts` is that of EVAL, since then the sum of both',
    source: OVERHEAD,
  },
  {
    fields: VM,
    meaning: 'the Lua VMs, allocated by the C library: outside of used_memory, and of the vendored jemalloc',
    of: LUA_PLACES.outside,
    source: 'eval.c, function_lua.c: lua_open; redis#1661',
  },
  {
    fields: VM,
    meaning: 'the Lua VMs, in an arena of jemalloc: in used_memory, and in what the server calls dataset',
    of: LUA_PLACES.dataset,
    source: 'script.c luaAlloc; redis#13133',
  },
  {
    fields: VM,
    meaning: 'the Lua VMs, in an arena of jemalloc: in used_memory, and in used_memory_overhead',
    of: LUA_PLACES.overhead,
    source: 'redis#13660',
  },
  {
    fields: ['allocator_allocated', 'allocator_active', 'allocator_resident'],
    meaning:
      "jemalloc's stats: given out; in pages with anything given out; with free (dirty) pages and its own metadata. Other allocators: copies of RSS",
    source: 'zmalloc.c zmalloc_get_allocator_info',
  },
  {
    fields: ['allocator_muzzy'],
    meaning:
      'free pages that the kernel may take (MADV_FREE): not in allocator_resident, in RSS until taken, and a purge returns them. Redis 7.4, Valkey 8.0; before it is not reported, and jemalloc before 5.3 keeps them for 10 s',
    source: 'redis#12996, redis-doc#2672, jemalloc#1098',
  },
  {
    fields: ['allocator_frag_bytes'],
    meaning: 'allocator_active − allocator_allocated',
    of: [{ engine: 'redis', below: 7.4 }, { engine: 'valkey', below: 8 }, { engine: 'keydb' }],
    source: OVERHEAD,
  },
  {
    fields: ['allocator_frag_bytes'],
    meaning: 'only of small bins, which the defragger can move; 0 with the jemalloc of some distributions',
    of: [
      { engine: 'redis', from: 7.4 },
      { engine: 'valkey', from: 8 },
    ],
    source: 'redis#12996',
  },
  {
    fields: ['maxmemory'],
    meaning: 'the limit of used_memory; 0 is none. Replicas ignore it by default',
    source: 'evict.c getMaxmemoryState',
  },
  {
    fields: ['total_system_memory'],
    meaning: "the machine's memory, also inside a container with less",
    source: 'zmalloc.c zmalloc_get_memory_size',
  },
  {
    fields: ['current_cow_size', 'current_cow_peak'],
    meaning: 'what the running child has in RAM for itself, by its own last report. Since 6.2, the peak since 7.0',
    source: 'childinfo.c sendChildInfoGeneric',
  },
  {
    fields: ['rdb_last_cow_size', 'aof_last_cow_size', 'module_fork_last_cow_size'],
    meaning: 'what the last child of each kind had as it ended; 0 where there was none',
    source: 'childinfo.c; rdb.c, aof.c, module.c',
  },
];
