import type { Finding } from '../../domain/diagnosis.ts';
import { bytesText, percentText, unworded } from '../../format/units.ts';
import { obstacleText } from './obstacle.ts';

/** What a diagnosis has found, and what returns it. */
export function findingText(finding: Finding): string {
  switch (finding.kind) {
    case 'too-small':
      return `RSS is ${bytesText(finding.usedMemoryRss)}, below the smallest minReclaim of ${bytesText(finding.floor)}: too small for an action, at any ratio`;
    case 'fragmented':
      return fragmentedText(finding);
    case 'free-pages':
      return freePagesText(finding);
    case 'overhead':
      return `${bytesText(finding.bytes)} are outside the allocator (code, stacks, Lua, modules): no action returns them${scriptingText(finding.scripting)}`;
    case 'near-limit':
      return `RSS is ${bytesText(finding.usedMemoryRss)}, ${percentText(finding.percent)} of the memory limit of ${bytesText(finding.limit)}`;
    case 'rss-below-used':
      // Pages that were never touched look the same as swapped ones (redis#7422): INFO does not distinguish them.
      return `RSS (${bytesText(finding.usedMemoryRss)}) is below used_memory (${bytesText(finding.usedMemory)}): not all of what is allocated is in memory, and INFO does not say why`;
    case 'no-layers':
      return noLayersText(finding);
  }
  return unworded(finding);
}

function fragmentedText(finding: Extract<Finding, { kind: 'fragmented' }>): string {
  const { bytes, percentOfData, closable, obstacle, unproven } = finding;
  const lost = `${bytesText(bytes)} are free, but inside pages still in use (${percentText(percentOfData)} of the data)`;
  if (unproven) return `${lost}: active defrag would return ${bytesText(closable)} of them, if this build can`;
  if (!obstacle) return `${lost}: active defrag returns ${bytesText(closable)} of them`;
  if (obstacle.kind === 'already-on') return `${lost}: ${obstacleText(obstacle)}`;
  return `${lost}. Offpeak does not return them: ${obstacleText(obstacle)}`;
}

function freePagesText({ bytes, returnable, obstacle }: Extract<Finding, { kind: 'free-pages' }>): string {
  const held = `the allocator holds ${bytesText(bytes)} of free pages`;
  if (!obstacle) return `${held}: MEMORY PURGE or time returns ${bytesText(returnable)} of them`;
  return `${held}. Offpeak does not return them: ${obstacleText(obstacle)}`;
}

function scriptingText(scripting: number | undefined): string {
  return scripting === undefined || scripting === 0
    ? ''
    : `; scripts hold ${bytesText(scripting)}, which SCRIPT FLUSH frees`;
}

function noLayersText({ why, memAllocator }: Extract<Finding, { kind: 'no-layers' }>): string {
  return why === 'not-jemalloc'
    ? `the allocator is ${memAllocator ?? 'not jemalloc'}, and only jemalloc reports where RSS goes`
    : 'the server does not report where its RSS goes (no allocator_* fields in INFO memory)';
}
