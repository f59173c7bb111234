import { describe, test } from 'vitest';
import { MIB } from '../../../../core/config/units.ts';
import { aNodeFacts, answerTo, expectAnswer } from '../../../support/audit.ts';

const noSettings = { inquiry: { settings: undefined as never } };

test.each<[string, string, RegExp, Parameters<typeof aNodeFacts>[0]]>([
  ['allocator', 'fine', /jemalloc-5\.2\.1/, {}],
  ['allocator', 'warning', /libc: neither active defrag nor MEMORY PURGE/, { memory: { memAllocator: 'libc' } }],
  ['allocator', 'unknown', /does not report where/, { memory: { allocatorResident: undefined as never } }],
  ['allocator', 'unknown', /figures contradict each other/, { memory: { allocatorResident: 0 } }],
  ['background-thread', 'fine', /is yes/, {}],
  [
    'background-thread',
    'warning',
    /until a MEMORY PURGE.*jemalloc-bg-thread yes/,
    { settings: { 'jemalloc-bg-thread': 'no' } },
  ],
  ['background-thread', 'unknown', /CONFIG GET/, noSettings],
  ['background-thread', 'not-asked', /jemalloc/, { memory: { memAllocator: 'libc' } }],
  ['decay', 'fine', /dirty_decay_ms 10000/, {}],
  [
    'decay',
    'warning',
    /for good.*JE_MALLOC_CONF=dirty_decay_ms:10000$/,
    { inquiry: { decay: { dirty: -1, muzzy: 0 } } },
  ],
  [
    'decay',
    'warning',
    /for 10 min.*JE_MALLOC_CONF=muzzy_decay_ms:0$/,
    { inquiry: { decay: { dirty: 0, muzzy: 600_000 } } },
  ],
  ['decay', 'unknown', /\+memory\|malloc-stats/, { inquiry: { decay: undefined as never } }],
])('%s: %s, %s', (rule, kind, text, over) => expectAnswer(answerTo(rule, aNodeFacts(over)), kind, text));

describe("MEMORY DOCTOR's words", () => {
  const says = (...doctor: readonly string[]) => ({ inquiry: { doctor } });
  const fragmented = {
    allocatorActive: 808 * MIB,
    allocatorResident: 826 * MIB,
    usedMemoryRss: 841 * MIB,
    allocatorFragBytes: 357 * MIB,
  };

  test.each<[string, RegExp, Parameters<typeof aNodeFacts>[0]]>([
    ['fine', /finds nothing/, {}],
    ['unknown', /\+memory\|doctor/, { inquiry: { doctor: undefined as never } }],
    ['fine', /too little for an action here/, says('High allocator fragmentation')],
    ['fine', /see the rule fragmentation/, { ...says('High allocator fragmentation'), memory: fragmented }],
    ['advice', /200 KiB each.*CLIENT LIST/, says('Big client buffers')],
    ['advice', /replicas hold more than 10 MiB/, says('Big slave buffers')],
    ['fine', /Offpeak does not know this word/, says('Strange new worlds')],
  ])('%s: %s', (kind, text, over) => expectAnswer(answerTo('doctor', aNodeFacts(over)), kind, text));
});
