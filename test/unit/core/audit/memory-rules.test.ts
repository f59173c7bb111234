import { expect, test } from 'vitest';
import { GIB, MIB } from '../../../../core/config/units.ts';
import { aNodeFacts, answerTo, expectAnswer } from '../../../support/audit.ts';
import { anInstance, anObservation } from '../../../support/builders.ts';

const address = { isConfigured: false, instance: anInstance({ windows: [] }) };
const FRAGMENTED = {
  allocatorActive: 808 * MIB,
  allocatorResident: 826 * MIB,
  usedMemoryRss: 841 * MIB,
  allocatorFragBytes: 357 * MIB,
};
const persistence = { ...anObservation().persistence, rdbBgsaveInProgress: true };

test.each<[string, string, RegExp, Parameters<typeof aNodeFacts>[0]]>([
  ['memory-limit', 'fine', /the limit is 1 GiB/, {}],
  [
    'memory-limit',
    'critical',
    /memoryLimit is 1 GiB, and the control group .* allows 512 MiB.*memoryLimit: 536870912B/,
    { inquiry: { machine: { memoryLimit: 512 * MIB } } },
  ],
  [
    'memory-limit',
    'warning',
    /control group .* allows 512 MiB/,
    { instance: anInstance(), inquiry: { machine: { memoryLimit: 512 * MIB } } },
  ],
  ['memory-limit', 'warning', /the config has no memoryLimit/, { instance: anInstance() }],
  ['memory-limit', 'unknown', /--memory-limit/, { ...address, memory: { totalSystemMemory: 8 * GIB } }],
  ['near-limit', 'fine', /RSS is 500 MiB, 49 % of the memory limit of 1 GiB/, {}],
  [
    'near-limit',
    'critical',
    /98 % of the memory limit of 512 MiB/,
    { instance: anInstance({ memoryLimit: 512 * MIB }) },
  ],
  [
    'near-limit',
    'critical',
    /the fork that runs has copied 450 MiB/,
    { observation: { persistence: { ...persistence, cowSize: 450 * MIB } } },
  ],
  ['near-limit', 'warning', /was 2 GiB at its peak/, { memory: { usedMemoryPeak: 2 * GIB } }],
  ['near-limit', 'unknown', /no limit is known/, { instance: anInstance() }],
  ['near-limit', 'unknown', /does not report RSS/, { memory: { usedMemoryRss: undefined as never } }],
  ['maxmemory', 'fine', /maxmemory is 480 MiB, 53 % below/, {}],
  ['maxmemory', 'warning', /maxmemory is not set/, { memory: { maxmemory: 0 } }],
  [
    'maxmemory',
    'warning',
    /^maxmemory is 0: the data may grow until memory is full/,
    { ...address, memory: { maxmemory: 0 } },
  ],
  ['maxmemory', 'critical', /eviction begins at maxmemory \(1 GiB\).*maxmemory \d+mb/, { memory: { maxmemory: GIB } }],
  ['maxmemory', 'warning', /leaves 14 % of headroom/, { memory: { maxmemory: 900 * MIB } }],
  ['maxmemory', 'unknown', /no limit is known/, { instance: anInstance() }],
  [
    'maxmemory',
    'unknown',
    /does not report maxmemory/,
    { observation: { engine: { ...anObservation().engine, name: 'dragonfly' } } },
  ],
  ['eviction', 'fine', /94 % of maxmemory \(480 MiB\); maxmemory-policy is allkeys-lru/, {}],
  [
    'near-limit',
    'critical',
    /RSS is not known, and used_memory alone is/,
    { memory: { usedMemory: 1000 * MIB, usedMemoryRss: undefined as never } },
  ],
  ['eviction', 'critical', /noeviction: writes are refused soon/, { settings: { 'maxmemory-policy': 'noeviction' } }],
  [
    'eviction',
    'fine',
    /73 % of maxmemory .*noeviction/,
    { settings: { 'maxmemory-policy': 'noeviction' }, memory: { notCountedForEvict: 100 * MIB } },
  ],
  [
    'eviction',
    'fine',
    /a replica leaves eviction to its primary/,
    {
      settings: { 'maxmemory-policy': 'noeviction' },
      observation: { replication: { ...anObservation().replication, role: 'replica' } },
    },
  ],
  [
    'eviction',
    'warning',
    /none of 91000 keys has a TTL.*set TTLs\. $/,
    {
      settings: { 'maxmemory-policy': 'volatile-ttl' },
      inquiry: { expires: 0 },
      observation: { refused: ['config|get'] },
    },
  ],
  [
    'eviction',
    'fine',
    /noeviction/,
    { settings: { 'maxmemory-policy': 'noeviction' }, memory: { maxmemory: 700 * MIB } },
  ],
  [
    'eviction',
    'warning',
    /none of 91000 keys has a TTL.*maxmemory-policy allkeys-lru/,
    { settings: { 'maxmemory-policy': 'volatile-ttl' }, inquiry: { expires: 0 } },
  ],
  [
    'eviction',
    'critical',
    /cannot evict enough/,
    { observation: { activity: { ...anObservation().activity, currentEvictionExceededTime: 500 } } },
  ],
  ['eviction', 'not-asked', /maxmemory is not set/, { memory: { maxmemory: 0 } }],
  ['fragmentation', 'fine', /external fragmentation is 6 MiB/, {}],
  [
    'fragmentation',
    'warning',
    /357 MiB are free, but scattered over pages.*offpeak plan/,
    {
      memory: {
        allocatorActive: 808 * MIB,
        allocatorResident: 826 * MIB,
        usedMemoryRss: 841 * MIB,
        allocatorFragBytes: 357 * MIB,
      },
    },
  ],
  ['fragmentation', 'unknown', /the rule allocator/, { memory: { memAllocator: 'libc' } }],
  ['fragmentation', 'fine', /Offpeak's defrag is on/, { memory: FRAGMENTED, isLeased: true }],
  ['fragmentation', 'advice', /active defrag is on already/, { memory: FRAGMENTED, defrag: {} }],
  ['overhead', 'fine', /no part beside the data/, {}],
  [
    'overhead',
    'warning',
    /clients' buffers hold 200 MiB/,
    { memory: { clientBuffers: 200 * MIB, usedMemoryOverhead: 210 * MIB } },
  ],
  ['swap', 'fine', /not below used_memory/, {}],
  ['swap', 'warning', /VmSwap of the process is 64 MiB/, { inquiry: { machine: { swapped: 64 * MIB } } }],
  ['swap', 'fine', /VmSwap of the process is 0 B/, { inquiry: { machine: { swapped: 0 } } }],
  ['swap', 'warning', /is below used_memory/, { memory: { usedMemoryRss: 200 * MIB } }],
])('%s: %s, %s', (rule, kind, text, over) => expectAnswer(answerTo(rule, aNodeFacts(over)), kind, text));

test('what was typed into a change can be typed: a size in whole megabytes', () => {
  const answer = answerTo('maxmemory', aNodeFacts({ memory: { maxmemory: GIB } }));
  expect(answer.kind === 'finding' && answer.changes?.[0]?.line).toMatch(/^maxmemory \d{3}mb$/);
});
