import type { Finding } from '../../domain/diagnosis.ts';
import { unworded } from '../../format/blocker.ts';
import { bytesText, percentText } from '../../format/units.ts';
import { obstacleText } from './obstacle.ts';

/** What a diagnosis has found, and which cure it has. */
export function findingText(finding: Finding): string {
  switch (finding.kind) {
    case 'too-small':
      return `RSS is ${bytesText(finding.usedMemoryRss)}, below the smallest floor of ${bytesText(finding.floor)}: nothing to gain, whatever the ratio`;
    case 'fragmented':
      return fragmentedText(finding);
    case 'pages-retained':
      return retainedText(finding);
    case 'overhead':
      return `${bytesText(finding.bytes)} lie outside the allocator (code, stacks, Lua, modules): neither cure returns them${scriptingText(finding.scripting)}`;
    case 'near-limit':
      return `RSS is ${bytesText(finding.usedMemoryRss)}, ${percentText(finding.percent)} of the memory limit of ${bytesText(finding.limit)}`;
    case 'rss-below-used':
      // Pages that were never touched look the same as swapped ones (redis#7422): INFO cannot tell them apart, nor can we.
      return `RSS (${bytesText(finding.usedMemoryRss)}) is below used_memory (${bytesText(finding.usedMemory)}): not all of what is allocated is in memory, and INFO does not say why`;
    case 'no-layers':
      return noLayersText(finding);
  }
  return unworded(finding);
}

function fragmentedText(finding: Extract<Finding, { kind: 'fragmented' }>): string {
  const { bytes, percentOfData, closable, obstacle, unproven } = finding;
  const lost = `${bytesText(bytes)} are lost in holes, ${percentText(percentOfData)} of the data`;
  if (unproven) return `${lost}: active defrag would close ${bytesText(closable)} of them, if this build can`;
  if (!obstacle) return `${lost}: active defrag closes ${bytesText(closable)} of them`;
  if (obstacle.kind === 'already-on') return `${lost}: ${obstacleText(obstacle)}`;
  return `${lost}, and Offpeak does not close them: ${obstacleText(obstacle)}`;
}

function retainedText({ bytes, returnable, obstacle }: Extract<Finding, { kind: 'pages-retained' }>): string {
  const kept = `${bytesText(bytes)} of free pages are kept by the allocator`;
  if (!obstacle) return `${kept}: MEMORY PURGE or time returns ${bytesText(returnable)} of them`;
  return `${kept}, and Offpeak does not return them: ${obstacleText(obstacle)}`;
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
