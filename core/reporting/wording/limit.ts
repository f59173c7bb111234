import { concerns, type MemoryLimit } from '../../config/near-limit.ts';
import { MIB } from '../../config/units.ts';
import type { Diagnosis, Finding, MaxmemoryFinding } from '../../domain/diagnosis.ts';
import { bytesText, percentText, ratioText } from '../../format/units.ts';

// What the kernel counts, beside the limit: sentences that end with what to do.

export function limitText({ bytes, of }: MemoryLimit): string {
  return of === 'config' ? `the memory limit of ${bytesText(bytes)}` : `the machine's memory of ${bytesText(bytes)}`;
}

export function nearLimitText(finding: Extract<Finding, { kind: 'near-limit' }>): string {
  const { usedMemoryRss, isUsedMemory, fork, limit, of, percent, returnable } = finding;
  const known = isUsedMemory ? 'RSS is not known, and used_memory alone is' : 'RSS is';
  const rss = `${known} ${bytesText(usedMemoryRss)}`;
  const share = `${percentText(percent)} of ${limitText({ bytes: limit, of })}`;
  const why = fork ? `${rss}, and ${forkText(fork)}: together ${share}` : `${rss}, ${share}`;
  const relief =
    returnable > 0 ? `An action of Offpeak would return ${bytesText(returnable)}. If that is not enough, give` : 'Give';
  const wait = fork?.kind === 'last' ? '' : fork ? '. Do not start another save before this one has ended' : '';
  return `${why}. ${relief} the server more memory, or store less${wait}`;
}

function forkText(fork: NonNullable<Extract<Finding, { kind: 'near-limit' }>['fork']>): string {
  return fork.kind === 'running'
    ? `the fork that runs has copied ${bytesText(fork.bytes)}`
    : `the last fork copied ${bytesText(fork.bytes)}, which the ${fork.runs ? 'one that runs' : 'next one'} may as well`;
}

export function peakOverLimitText({ peak, limit, of }: Extract<Finding, { kind: 'peak-over-limit' }>): string {
  const correct = of === 'config' ? '. If the limit was lower than it is now, correct memoryLimit' : '';
  return `used_memory was ${bytesText(peak)} at its peak since the server's start, more than ${limitText({ bytes: limit, of })}: with as much data the kernel kills the server. Set maxmemory below the limit${correct}`;
}

export function maxmemoryText(finding: MaxmemoryFinding): string {
  const { problem, maxmemory, limit, expected = maxmemory, refusesWrites } = finding;
  const known = limitText(limit);
  switch (problem) {
    case 'none':
      return `maxmemory is not set: the data may grow until the kernel kills the server at ${known}. ${adviceText(finding)}`;
    case 'beyond-limit': {
      const begins = refusesWrites ? 'writes are refused' : 'eviction begins';
      const overhead =
        expected > maxmemory ? `, and with this node's own overhead RSS is then about ${bytesText(expected)}` : '';
      return `${begins} at maxmemory (${bytesText(maxmemory)})${overhead}: at or after ${known}, where the kernel kills the server. ${adviceText(finding)}`;
    }
    case 'little-headroom':
      return `maxmemory (${bytesText(maxmemory)}) leaves ${percentText((limit.bytes / maxmemory - 1) * 100)} of headroom below ${known}; 30 to 50 % are usual, for fragmentation and forks. ${adviceText(finding)}`;
  }
}

function adviceText({ suggested, needed, isManaged }: MaxmemoryFinding): string {
  const most = suggested === undefined ? undefined : `at most ${Math.floor(suggested / MIB)}mb`;
  const set = isManaged
    ? `Set it${most ? ` to ${most}` : ''} in the service's parameter group (ElastiCache: reserved-memory-percent)`
    : `Set maxmemory${most ? ` to ${most}` : ''}`;
  if (suggested === undefined) return `Give the server more memory${needed ? `: at least ${bytesText(needed)}` : ''}`;
  return needed ? `${set}, or give the server at least ${bytesText(needed)}` : set;
}

/** The verdict on a node without findings. */
export function healthyText(diagnosis: Diagnosis): string {
  const { account, limit, ratio, findings } = diagnosis;
  const rss = account?.total ?? 0;
  const [small] = findings;
  if (small?.kind === 'too-small') {
    return `healthy: RSS is ${bytesText(rss)}, too small for an action, at any ratio (minReclaim ${bytesText(small.floor)})`;
  }
  const times = ratio === undefined ? '' : `, ${ratioText(ratio)} x used`;
  const whose = limit?.of === 'machine' ? 'machine' : 'limit';
  const share =
    limit && concerns(limit, rss)
      ? `, ${percentText((rss / limit.bytes) * 100)} of the ${whose}'s ${bytesText(limit.bytes)}`
      : '';
  return `healthy: RSS is ${bytesText(rss)}${times}${share}; no action is worth it${littleText(diagnosis)}`;
}

/** What an action would return, beside what it would have to: the first question of a person who sees a high ratio. */
function littleText({ prospects, reclaimable }: Diagnosis): string {
  const found = { defrag: reclaimable.defrag, purge: reclaimable.purge.reclaim };
  const little = (['defrag', 'purge'] as const).flatMap((action) => {
    const prospect = prospects[action];
    return prospect.kind === 'little' && prospect.floor !== undefined
      ? [`${action} would return ${bytesText(found[action])} (${action}.minReclaim ${bytesText(prospect.floor)})`]
      : [];
  });
  return little.length === 0 ? '' : `: ${little.join(', ')}`;
}
