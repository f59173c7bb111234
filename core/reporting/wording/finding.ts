import type { Holder } from '../../domain/account.ts';
import type { Finding, Obstacle } from '../../domain/diagnosis.ts';
import { bytesText, percentText, unworded } from '../../format/units.ts';
import { maxmemoryText, nearLimitText, peakOverLimitText } from './limit.ts';
import { LONGEST_BLOCK, obstacleText } from './obstacle.ts';

/** What a diagnosis has found, and at its end what to do about it. */
export function findingText(finding: Finding): string {
  switch (finding.kind) {
    case 'too-small':
      return `RSS is ${bytesText(finding.usedMemoryRss)}, below the smallest minReclaim of ${bytesText(finding.floor)}: too small for an action, at any ratio`;
    case 'fragmented':
      return fragmentedText(finding);
    case 'free-pages':
      return freePagesText(finding);
    case 'overhead':
      return `${bytesText(finding.bytes)} (${percentText(finding.percent)} of RSS) are outside of what the allocator reports. The cause is unknown, INFO does not say it. ${LOOK}`;
    case 'held':
      return `${HELD[finding.by].what} ${bytesText(finding.bytes)} (${percentText(finding.percent)} of the memory): ${HELD[finding.by].remedy}`;
    case 'near-limit':
      return nearLimitText(finding);
    case 'peak-over-limit':
      return peakOverLimitText(finding);
    case 'maxmemory':
      return maxmemoryText(finding);
    case 'rss-below-used':
      // Pages that were never touched look the same as swapped ones (redis#7422): INFO does not distinguish them.
      return `RSS (${bytesText(finding.usedMemoryRss)}) is below used_memory (${bytesText(finding.usedMemory)}): not all of what is allocated is in RAM, and INFO does not say why. VmSwap in /proc/<pid>/status says how much of it the kernel has moved to disk`;
    case 'impossible':
      return `INFO prints values that cannot be: ${finding.fields.join(', ')}. Offpeak leaves them out; check what answers at this address`;
    case 'no-layers':
      return noLayersText(finding);
  }
  return unworded(finding);
}

const LOOK =
  'Look on its machine: in /proc/<pid>/smaps_rollup, AnonHugePages are transparent huge pages (set them to madvise), LazyFree are freed pages, which MEMORY PURGE returns. Connections by TLS have buffers outside of the allocator (CLIENT LIST counts them); MODULE LIST shows modules';

/** What holds memory, and how it is made less. */
const HELD: Readonly<Record<Holder, { readonly what: string; readonly remedy: string }>> = {
  'client-buffers': {
    what: "clients' buffers hold",
    remedy:
      'CLIENT LIST shows whose (omem, qbuf; cmd=monitor). Close those, and limit them with client-output-buffer-limit, or maxmemory-clients since 7.0',
  },
  'replica-buffers': {
    what: "replicas' buffers hold",
    remedy:
      'a replica reads too slowly: INFO replication shows its lag. client-output-buffer-limit replica limits them',
  },
  'replication-backlog': {
    what: 'the replication backlog holds',
    remedy: 'repl-backlog-size sets it. It need not be larger than what is written while a replica is away',
  },
  'full-sync-buffer': {
    what: 'the buffer of a full sync holds',
    remedy: 'it is freed once this replica has loaded the data: wait for the sync to end',
  },
  'cluster-links': {
    what: 'links to other nodes of the Cluster hold',
    remedy: 'CLUSTER LINKS shows which node does not read. cluster-link-sendbuf-limit limits them',
  },
  'slot-migration': {
    what: 'buffers of slots that are moved hold',
    remedy: 'they are freed once the migration has ended. CLUSTER NODES shows where it is stuck',
  },
  dictionaries: {
    what: 'the tables of keys and expiry times hold',
    remedy: 'the keys are many and small. Hashes in their place need a fraction of it',
  },
  'other-overhead': {
    what: 'tables and buffers hold',
    remedy: 'MEMORY STATS shows which. For buffers of clients, CLIENT LIST shows whose (omem, qbuf; cmd=monitor)',
  },
  uncounted: {
    what: 'what the server does not count in used_memory holds',
    remedy: 'modules or libraries allocate it, and maxmemory does not limit it. MODULE LIST shows modules',
  },
  'aof-buffer': {
    what: 'the AOF buffer holds',
    remedy: 'the disk is too slow: see aof_delayed_fsync and aof_rewrite_in_progress in INFO persistence',
  },
  scripts: {
    what: 'Lua scripts hold',
    remedy:
      'SCRIPT FLUSH frees them; clients then have to load their scripts again. Pass values in KEYS and ARGV: each new text of a script stays in the cache',
  },
  functions: {
    what: 'functions hold',
    remedy: 'FUNCTION LIST shows the libraries. Delete those that are not used with FUNCTION DELETE',
  },
};

function fragmentedText(finding: Extract<Finding, { kind: 'fragmented' }>): string {
  const { bytes, percentOfData, closable, obstacle, unproven } = finding;
  const lost = `${bytesText(bytes)} are free, but scattered over pages that also hold data (${percentText(percentOfData)} of the data)`;
  if (unproven) return `${lost}: active defrag would return ${bytesText(closable)} of them, if this build can`;
  if (!obstacle) return `${lost}: active defrag returns ${bytesText(closable)} of them`;
  if (obstacle.kind === 'already-on') return `${lost}: ${obstacleText(obstacle)}`;
  if (obstacle.kind === 'disabled') return `${lost}. ${forbiddenText('defragment', obstacle)}`;
  return `${lost}. Offpeak does not return them: ${obstacleText(obstacle)}${remedyText(obstacle)}`;
}

function freePagesText(finding: Extract<Finding, { kind: 'free-pages' }>): string {
  const { bytes, muzzy, returnable, obstacle } = finding;
  const ofThem = muzzy === undefined ? '' : ` (${bytesText(muzzy)} of them muzzy: the kernel may take these)`;
  const held = `the allocator holds ${bytesText(bytes)} of free pages${ofThem}`;
  if (!obstacle) return `${held}: MEMORY PURGE or time returns ${bytesText(returnable)} of them`;
  if (obstacle.kind === 'disabled') return `${held}. ${forbiddenText('purge', obstacle)}`;
  return `${held}. Offpeak does not return them: ${obstacleText(obstacle)}${remedyText(obstacle)}`;
}

/** A person has decided that: it is not a fault, and the same key takes it back. */
function forbiddenText(what: 'defragment' | 'purge', obstacle: Extract<Obstacle, { kind: 'disabled' }>): string {
  return `Offpeak may not ${what} here: ${obstacleText(obstacle)}. To allow it, set ${obstacle.setting} to true`;
}

/** What lifts the obstacle, where its own words do not say so. */
function remedyText(obstacle: Obstacle): string {
  switch (obstacle.kind) {
    case 'would-block':
      return obstacle.stall > LONGEST_BLOCK
        ? '; time may return them'
        : `; purge.maxBlock of ${Math.ceil(obstacle.stall)}ms would allow it`;
    case 'config-refused':
      return '; a managed service sets activedefrag in its parameter group';
    case 'unsupported':
    case 'not-defraggable':
    case 'odd-settings':
    case 'unknown-engine':
      return '; a restart returns them';
    case 'already-on':
    case 'by-group':
    case 'disabled':
    case 'denied-version':
    case 'purge-refused':
    case 'would-stall':
      return '';
  }
  return unworded(obstacle);
}

function noLayersText({ why, memAllocator, beyondUsed }: Extract<Finding, { kind: 'no-layers' }>): string {
  const where = beyondUsed > 0 ? `where the ${bytesText(beyondUsed)} beyond used_memory are` : 'where RSS goes';
  switch (why) {
    case 'not-jemalloc':
      return `the allocator is ${memAllocator ?? 'not jemalloc'}, and only jemalloc reports ${where}: no action can be chosen. A build with jemalloc reports it`;
    case 'impossible':
      return `the allocator's figures contradict each other, so they do not say ${where}: no action can be chosen`;
    case 'no-rss':
      return 'RSS is not known, so no action could be verified: no action can be chosen. Read it on the machine, as VmRSS in /proc/<pid>/status';
    case 'not-reported':
      return `the server does not report ${where} (no allocator_* fields in INFO memory): no action can be chosen. Redis 5.0 and later, and Valkey, report it, unless a service leaves it out`;
  }
  return unworded(why);
}
