import { test } from 'vitest';
import { MIB } from '../../../../core/config/units.ts';
import { aNodeFacts, answerTo, expectAnswer } from '../../../support/audit.ts';
import { anEngine, anInstance, anObservation } from '../../../support/builders.ts';

const denied = { issue: 'redis/redis#13307', why: 'it crashes', fixedIn: 'Redis 7.2.6' };
const address = { isConfigured: false, instance: anInstance({ windows: [] }) };
const fragmented = {
  allocatorActive: 808 * MIB,
  allocatorResident: 826 * MIB,
  usedMemoryRss: 841 * MIB,
  allocatorFragBytes: 357 * MIB,
};
const running = {
  ...anObservation().defrag,
  settings: { activedefrag: 'yes' },
  running: 25,
  hits: 1_000,
  misses: 3_000_000,
};

test.each<[string, string, RegExp, Parameters<typeof aNodeFacts>[0]]>([
  ['defrag-support', 'fine', /would accept/, {}],
  ['defrag-support', 'fine', /is on/, { defrag: {} }],
  ['defrag-support', 'warning', /Debian and Ubuntu/, { defragSupport: 'unsupported' }],
  ['defrag-support', 'unknown', /CONFIG SET is refused/, { defragSupport: 'refused' }],
  ['defrag-support', 'not-asked', /allocator/, { memory: { memAllocator: 'libc' } }],
  ['defrag', 'fine', /Offpeak switches it on/, {}],
  ['defrag', 'fine', /active defrag is on/, { ...address, defrag: {} }],
  ['defrag', 'advice', /has no lease for it/, { defrag: {} }],
  ['defrag', 'fine', /under a lease/, { defrag: {}, isLeased: true }],
  ['defrag-stall', 'not-asked', /during a run/, { defrag: {}, isLeased: true }],
  [
    'defrag',
    'critical',
    /it crashes \(redis\/redis#13307\).*activedefrag no/,
    { defrag: {}, observation: { engine: anEngine({ denied }) } },
  ],
  ['defrag', 'not-asked', /unsafe on this version/, { observation: { engine: anEngine({ denied }) } }],
  ['defrag', 'advice', /active defrag is off.*activedefrag yes/, address],
  ['defrag', 'warning', /active defrag is off/, { ...address, memory: fragmented }],
  [
    'defrag',
    'warning',
    /Offpeak only watches.*windows:/,
    { instance: anInstance({ windows: [] }), memory: fragmented },
  ],
  ['defrag', 'not-asked', /cannot defragment/, { defragSupport: 'unsupported' }],
  ['defrag', 'unknown', /refuses CONFIG.*parameter group/, { observation: { refused: ['config|get'] } }],
  ['defrag-thresholds', 'not-asked', /not on for good/, {}],
  ['defrag-thresholds', 'fine', /threshold-lower 10, -upper 100/, { defrag: {} }],
  [
    'defrag-thresholds',
    'critical',
    /redis#15513.*active-defrag-threshold-upper 100/,
    { defrag: { 'active-defrag-threshold-upper': '10' } },
  ],
  ['defrag-thresholds', 'warning', /only when 40 % of the data/, { defrag: { 'active-defrag-threshold-lower': '40' } }],
  [
    'defrag-thresholds',
    'warning',
    /1 GiB.*ignore-bytes 100mb/,
    { defrag: { 'active-defrag-ignore-bytes': '1073741824' } },
  ],
  ['defrag-stall', 'advice', /up to 25 ms for a cycle, more than maxStall of 5 ms.*hz 100/, { defrag: {} }],
  ['defrag-stall', 'warning', /up to 75 ms.*cycle-max 25,hz 100/, { defrag: { 'active-defrag-cycle-max': '75' } }],
  ['defrag-stall', 'fine', /up to 2\.5 ms/, { defrag: { hz: '100' } }],
  [
    'defrag-stall',
    'fine',
    /up to 0\.5 ms/,
    { defrag: {}, observation: { engine: anEngine({ version: '8.2.3', slicedDefrag: true }) } },
  ],
  [
    'defrag-stall',
    'warning',
    /cycle-min is 50, above active-defrag-cycle-max of 25/,
    { defrag: { 'active-defrag-cycle-min': '50' } },
  ],
  ['defrag-progress', 'not-asked', /off/, {}],
  ['defrag-progress', 'fine', /has moved/, { defrag: {}, observation: {} }],
  ['defrag-progress', 'warning', /0 % .*and is running|\(0 %\), and is running/, { observation: { defrag: running } }],
  ['defrag-aof', 'not-asked', /not on for good/, {}],
  ['defrag-aof', 'fine', /no AOF/, { defrag: {} }],
  ['defrag-aof', 'warning', /redis#15539/, { defrag: {}, settings: { appendonly: 'yes' } }],
  [
    'defrag-aof',
    'fine',
    /this version loads it/,
    { defrag: {}, settings: { appendonly: 'yes' }, observation: { engine: anEngine({ version: '8.10.1' }) } },
  ],
  [
    'defrag-aof',
    'not-asked',
    /of Redis/,
    { defrag: {}, observation: { engine: anEngine({ name: 'valkey', version: '8.1.4' }) } },
  ],
])('%s: %s, %s', (rule, kind, text, over) => expectAnswer(answerTo(rule, aNodeFacts(over)), kind, text));
