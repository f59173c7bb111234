import { test } from 'vitest';
import { aNodeFacts, answerTo, expectAnswer } from '../../../support/audit.ts';
import { anEngine, anObservation } from '../../../support/builders.ts';

const denied = { issue: 'redis/redis#13307', why: 'it crashes', fixedIn: 'Redis 7.2.6' };
const saves = { save: '3600 1' };
const { persistence, replication } = anObservation();

test.each<[string, string, RegExp, Parameters<typeof aNodeFacts>[0]]>([
  ['engine', 'fine', /redis 7\.0\.15/, {}],
  [
    'engine',
    'advice',
    /kvrocks 2\.10\.1: Offpeak only watches/,
    { observation: { engine: anEngine({ name: 'unknown', version: '2.10.1', calledItself: 'kvrocks' }) } },
  ],
  ['version', 'fine', /no fault/, {}],
  ['version', 'warning', /it crashes.*lifted by Redis 7\.2\.6/, { observation: { engine: anEngine({ denied }) } }],
  [
    'version',
    'warning',
    /it crashes .*no release is known to be without it: Offpeak only purges/,
    { observation: { engine: anEngine({ denied: { ...denied, unfixed: true } }) } },
  ],
  [
    'version',
    'unknown',
    /patches of its own/,
    { observation: { engine: anEngine({ service: 'Amazon ElastiCache' }) } },
  ],
  ['persistence', 'fine', /never forks/, {}],
  [
    'persistence',
    'critical',
    /fails to save its data/,
    { observation: { persistence: { ...persistence, saves: false } } },
  ],
  ['persistence', 'unknown', /CONFIG GET/, { inquiry: { settings: undefined as never } }],
  ['replication', 'fine', /primary/, {}],
  [
    'replication',
    'warning',
    /not in sync/,
    { observation: { replication: { ...replication, role: 'replica', primaryLinkUp: false } } },
  ],
  ['overcommit', 'not-asked', /never forks/, {}],
  ['overcommit', 'unknown', /sysctl vm\.overcommit_memory/, { settings: saves }],
  ['overcommit', 'warning', /is 0, and the server forks/, { settings: saves, inquiry: { machine: { overcommit: 0 } } }],
  ['overcommit', 'fine', /is 1/, { settings: saves, inquiry: { machine: { overcommit: 1 } } }],
  [
    'overcommit',
    'warning',
    /is 2/,
    { observation: { replication: { ...replication, connectedReplicas: 1 } }, inquiry: { machine: { overcommit: 2 } } },
  ],
  ['huge-pages', 'fine', /disable-thp is yes/, {}],
  ['huge-pages', 'unknown', /only its machine/, { settings: { 'disable-thp': 'no' } }],
  [
    'huge-pages',
    'warning',
    /a fork copies 2 MiB/,
    { settings: { 'disable-thp': 'no' }, inquiry: { machine: { hugePages: 'always' } } },
  ],
  [
    'huge-pages',
    'fine',
    /madvise/,
    { settings: { 'disable-thp': 'no' }, inquiry: { machine: { hugePages: 'madvise' } } },
  ],
  ['fork-time', 'not-asked', /no fork/, {}],
  ['fork-time', 'fine', /for 40 ms/, { inquiry: { lastFork: 40 } }],
  ['fork-time', 'warning', /for 1\.2 s/, { inquiry: { lastFork: 1200 } }],
])('%s: %s, %s', (rule, kind, text, over) => {
  const { inquiry, settings } = over ?? {};
  const facts = aNodeFacts(over);
  const both =
    inquiry?.machine && settings ? { ...facts, inquiry: { ...facts.inquiry, machine: inquiry.machine } } : facts;
  expectAnswer(answerTo(rule, both), kind, text);
});
