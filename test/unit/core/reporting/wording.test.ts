import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GIB, HOUR, MIB, MINUTE } from '../../../../core/config/units.ts';
import type { Obstacle } from '../../../../core/domain/diagnosis.ts';
import { blockerKindText, blockerText } from '../../../../core/format/blocker.ts';
import {
  bytesText,
  countText,
  durationText,
  isoText,
  percentText,
  sentence,
  timeText,
} from '../../../../core/format/units.ts';
import { findingText } from '../../../../core/reporting/wording/finding.ts';
import { obstacleNote } from '../../../../core/reporting/wording/obstacle.ts';
import { planText, reasonText } from '../../../../core/reporting/wording/plan.ts';
import { noticeText, verdictText } from '../../../../core/reporting/wording/result.ts';
import { aDiagnosis, aPlan, aPurgePlan, aSkip, aVerdict, NOW } from '../../../support/builders.ts';
import { BLOCKERS, FINDINGS, NOTICES, PLANS, SKIPS, STOPS } from './samples.ts';

describe('figures', () => {
  test.each([
    [0, '0 B'],
    [-0, '0 B'],
    [512, '512 B'],
    [1023, '1,023 B'],
    [1024, '1 KiB'],
    [96_640, '94.4 KiB'],
    [402 * MIB, '402 MiB'],
    [-12 * MIB, '-12 MiB'],
    [1023.4 * MIB, '1,023 MiB'],
    [1023.6 * MIB, '1 GiB'],
    [1.28 * GIB, '1.28 GiB'],
    [99.94 * GIB, '99.9 GiB'],
    [260 * GIB, '260 GiB'],
    [5 * 1024 ** 4, '5 TiB'],
    [3000 * 1024 ** 5, '3,000 PiB'],
  ])('%d bytes are %s', (bytes, text) => expect(bytesText(bytes)).toBe(text));

  test.each([
    [0, '0 ms'],
    [0.5, '0.5 ms'],
    [2.5, '2.5 ms'],
    [96.4, '96 ms'],
    [999.4, '999 ms'],
    [999.6, '1 s'],
    [2500, '2.5 s'],
    [12_000, '12 s'],
    [59_600, '1 min'],
    [250_000, '4 min 10 s'],
    [28 * MINUTE, '28 min'],
    [59.6 * MINUTE, '1 h'],
    [3 * HOUR + 5 * MINUTE, '3 h 05 min'],
    [5 * HOUR, '5 h'],
    [99 * HOUR, '4 d 3 h'],
    [-4000, '-4 s'],
  ])('%d ms are %s', (duration, text) => expect(durationText(duration)).toBe(text));

  test.each([
    [2.46, '2.5 %'],
    [79.2, '79 %'],
    [97, '97 %'],
    [-1.5, '-1.5 %'],
  ])('%d hundredths are %s', (percent, text) => expect(percentText(percent)).toBe(text));

  test('counts have thousands, and a fraction only below ten', () => {
    expect([countText(12_400.4), countText(0.25), countText(7)]).toEqual(['12,400', '0.3', '7']);
  });

  test('never say NaN, and stay short, whatever the number', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e15, max: 1e15, noNaN: true }), (value) => {
        for (const text of [bytesText(value), durationText(value), percentText(value)]) {
          expect(text).toMatch(/^-?[\d,.]+ [A-Za-z%]+( \d+ (s|min|h))?$/);
        }
      }),
    );
  });
});

describe('times', () => {
  test.each([
    [
      'told now, in the zone of the instance',
      NOW + 5 * HOUR,
      { timezone: 'Europe/Berlin', now: NOW },
      'Tue 07:14 Europe/Berlin (in 5 h)',
    ],
    ['past', NOW - 90_000, { timezone: 'Europe/Berlin', now: NOW }, 'Tue 02:12 Europe/Berlin (1 min 30 s ago)'],
    [
      'more than the weekday can say',
      NOW + 168 * HOUR,
      { timezone: 'Europe/Berlin', now: NOW },
      'Tue 2026-12-01 02:14 Europe/Berlin (in 7 d)',
    ],
    ['read at some later time', NOW, { timezone: 'Europe/Berlin' }, 'Tue 2026-11-24 02:14 Europe/Berlin'],
    ['no zone', NOW, { now: NOW }, 'Tue 01:14 UTC (in 0 ms)'],
    ['neither', NOW, {}, 'Tue 2026-11-24 01:14 UTC'],
  ])('%s', (_, at, moment, text) => expect(timeText(at, moment)).toBe(text));

  test('ISO 8601 for machines', () => expect(isoText(NOW + 120)).toBe('2026-11-24T01:14:05.120Z'));
});

const seen = { now: NOW, diagnosis: aDiagnosis() };

describe('a plan in words', () => {
  test.each([
    [
      aPlan(),
      'start active defrag: 357 MiB are free, but scattered over pages that also hold data; predicted 350 MiB back, in stalls of about 0.5 ms',
    ],
    [
      aPurgePlan(),
      'purge: the allocator holds 18 MiB of free pages; predicted 310 MiB back, clients blocked for about 122 ms',
    ],
    [
      STOPS['goal-met'],
      'stop active defrag: the fragmentation is removed, and the rest is not worth more work; every setting is restored',
    ],
    [STOPS.forking, 'stop active defrag: a forked child process is running (BGSAVE); every setting is restored'],
    [SKIPS.healthy, 'nothing: no action would return enough: defrag 353 MiB, purge 0 B (minReclaim 128 MiB)'],
    [
      aPlan({
        predicted: { reclaim: 350 * MIB, stall: 0.5, firstCycle: 14.1, duration: 50 * MINUTE, isLearned: true },
      }),
      'start active defrag: 357 MiB are free, but scattered over pages that also hold data; predicted 350 MiB back, in stalls of about 0.5 ms (once up to 14 ms as it begins), for about 50 min',
    ],
    [
      SKIPS.defragmenting,
      'carry on: active defrag is running: about 62 % done, 214,000 values moved and 120 MiB of fragmentation removed in 40 s, about 24 s left; it ends Tue 02:42 Europe/Berlin (in 28 min) at the latest',
    ],
    [
      aSkip('defragmenting', { underWay: { elapsed: 9_000, moved: 7, closed: -MIB, level: 2, isLate: true } }),
      'carry on: active defrag is running: 7 values moved and 0 B of fragmentation removed in 9 s, longer than predicted, at 1/4 of its CPU share, since cycles were longer than defrag.maxStall; it ends with its lease',
    ],
    [
      SKIPS['too-long'],
      'nothing: active defrag would not finish in time (needs 50 min at 25 % of a CPU, and the window has 30 min; a longer window, or defrag.maxCpu of 42 %, would do); would have started active defrag for 350 MiB',
    ],
    [
      SKIPS['would-stall'],
      'nothing: active defrag would keep clients waiting once for up to 120 ms as it begins, longer than purge.maxBlock and than ten times defrag.maxStall; defrag.maxStall of 12 ms would allow it; it would return 350 MiB',
    ],
    [SKIPS.unsupported, 'nothing: this build refuses active defrag'],
    [
      SKIPS['not-defraggable'],
      "nothing: there is external fragmentation, but the server's own defragger sees only 357 MiB of the 357 MiB",
    ],
    [
      SKIPS['outside-window'],
      'nothing: outside the window, which opens Tue 07:14 Europe/Berlin (in 5 h); would have purged 310 MiB',
    ],
    [
      SKIPS.paused,
      'nothing: paused until Tue 06:14 Europe/Berlin (in 4 h) by alice ("Black Friday"); would have purged 310 MiB',
    ],
    [aSkip('paused'), 'nothing: the instance is paused'],
    [
      STOPS.paused,
      'stop active defrag: the instance is paused until Tue 06:14 Europe/Berlin (in 4 h) by alice ("Black Friday"); every setting is restored',
    ],
    [
      SKIPS.holiday,
      'nothing: the window stays closed for a holiday; the next one opens Fri 07:14 Europe/Berlin (in 3 d 5 h); would have purged 310 MiB',
    ],
    [aSkip('holiday'), 'nothing: the window stays closed for a holiday, and no other one opens'],
    [aSkip('outside-window'), 'nothing: no maintenance window opens, so Offpeak only observes'],
    [
      SKIPS['would-block'],
      'nothing: a purge would block clients for longer than purge.maxBlock allows (420 ms); it would return 1 GiB',
    ],
    [
      SKIPS.busy,
      'nothing: the server is busy (main thread at 62 %, maxMainThreadCpu is 40 %); would have started active defrag for 350 MiB',
    ],
    [aSkip('busy'), 'nothing: the server is busy'],
    [
      SKIPS['cooling-down'],
      'nothing: the cooldown after the last action is not over, and ends Tue 06:14 Europe/Berlin (in 4 h); would have started active defrag for 350 MiB',
    ],
  ])('%#', (plan, text) => expect(planText(plan, 'Europe/Berlin', seen)).toBe(text));

  test('needs no more than the plan: no diagnosis, no zone, no clock', () => {
    expect(planText(aPlan())).toBe(
      'start active defrag: memory is free, but scattered over pages that also hold data; predicted 350 MiB back, in stalls of about 0.5 ms',
    );
    expect(planText(SKIPS['outside-window'])).toBe(
      'nothing: outside the window, which opens Tue 2026-11-24 06:14 UTC; would have purged 310 MiB',
    );
  });

  test('a refused version names the issue, the danger and the upgrade that lifts it', () => {
    const text = planText(SKIPS['denied-version']);
    expect(text).toContain('redis/redis#13307');
    expect(text).toContain('it crashes in defragLaterStep');
    expect(text).toContain('lifted by Redis 7.2.6');
  });

  test('several blockers are all said', () => {
    const plan = aSkip('loading', { blockers: [BLOCKERS.loading, BLOCKERS.failover] });
    expect(reasonText(plan)).toBe(
      "the server is loading its data; a failover is under way, or the node's role has changed",
    );
  });

  test.each(PLANS.map((plan) => [`${plan.kind} ${plan.reason}`, plan] as const))(
    '%s is one plain sentence',
    (_, plan) => {
      for (const text of [planText(plan), planText(plan, 'Europe/Berlin', seen)]) {
        expect(text).toMatch(/^(nothing|carry on|purge|start active defrag|stop active defrag): [a-z\d]/);
        expect(text).toMatch(/^[\x20-\x7e]+$/);
        expect(text).not.toMatch(/undefined|NaN|Infinity|\[object|!|\{|\. /);
        expect(text.length).toBeLessThan(250);
      }
    },
  );
});

describe('blockers', () => {
  test.each([
    [
      BLOCKERS['unknown-engine'],
      'this engine is not known to Offpeak, which only watches the server (it reports no version)',
    ],
    [
      { ...BLOCKERS['unknown-engine'], version: '1.2' },
      'this engine is not known to Offpeak, which only watches the server (version 1.2)',
    ],
    [BLOCKERS['replica-syncing'], 'the replica is not in sync with its primary (the link is down)'],
    [
      { ...BLOCKERS['replica-syncing'], linkUp: true },
      'the replica is not in sync with its primary (a sync is under way)',
    ],
    [{ ...BLOCKERS['feeding-full-sync'], replicas: 1 }, 'the node is feeding a full sync (to 1 replica)'],
    [
      BLOCKERS['eviction-pressure'],
      'the server is short of memory for its data, which no action solves (above maxmemory for 12 s, 48 MiB above it now)',
    ],
    [
      { ...BLOCKERS['eviction-pressure'], exceededFor: 0 },
      'the server is short of memory for its data, which no action solves (48 MiB above it now)',
    ],
    [BLOCKERS['just-restarted'], 'the server has just started (up for 4 s, 10 s required)'],
    [BLOCKERS['not-enough-time'], 'the job has too little time left (8 s; 23 s needed)'],
    [BLOCKERS.loading, 'the server is loading its data'],
    [
      BLOCKERS['version-unseen'],
      'a server of this version is under active defrag, and was not checked in this tick yet (10.0.3.18:6379), so no defrag before it is, or before Tue 2026-11-24 21:10 UTC',
    ],
  ])('%#', (blocker, text) => expect(blockerText(blocker)).toBe(text));

  test.each([
    ['restarted', '10.0.3.18:6379 restarted Tue 01:14 Europe/Berlin (1 h ago)', '; see its log'],
    ['vanished', '10.0.3.18:6379 does not answer', ', or until it answers; see its log'],
    ['unchecked', '10.0.3.18:6379 could not be checked', ', or until it can be; see its error'],
  ] as const)('a version of which a server %s: until when, and what to look at', (how, what, next) => {
    const blocker = { ...BLOCKERS['version-fell'], how };
    expect(planText(aSkip('version-fell', { blockers: [blocker] }), 'Europe/Berlin', seen)).toBe(
      `nothing: a server of this version may have crashed during active defrag (${what}), so no defrag before Tue 21:14 Europe/Berlin (in 19 h)${next}`,
    );
  });

  test.each(Object.values(BLOCKERS))('$kind begins with its kind in words', (blocker) => {
    expect(blockerText(blocker).startsWith(blockerKindText(blocker.kind))).toBe(true);
  });
});

describe('findings', () => {
  test.each([
    [
      FINDINGS.fragmented,
      '357 MiB are free, but scattered over pages that also hold data (79 % of the data): active defrag returns 350 MiB of them',
    ],
    [
      FINDINGS.fragmented,
      '357 MiB are free, but scattered over pages that also hold data (79 % of the data): active defrag returns 350 MiB of them',
    ],
    [FINDINGS['free-pages'], 'the allocator holds 310 MiB of free pages: MEMORY PURGE or time returns 291 MiB of them'],
    [
      FINDINGS['near-limit'],
      'RSS is 5.2 GiB, 87 % of the memory limit of 6 GiB. Give the server more memory, or store less',
    ],
    [
      FINDINGS['too-small'],
      'RSS is 12 MiB, below the smallest minReclaim of 100 MiB: too small for an action, at any ratio',
    ],
    [
      FINDINGS.overhead,
      '120 MiB (12 % of RSS) are outside of what the allocator reports. The cause is unknown, INFO does not say it. Look on its machine: in /proc/<pid>/smaps_rollup, AnonHugePages are transparent huge pages (set them to madvise), LazyFree are freed pages, which MEMORY PURGE returns. Connections by TLS have buffers outside of the allocator (CLIENT LIST counts them); MODULE LIST shows modules',
    ],
    [
      FINDINGS['no-layers'],
      'the allocator is libc, and only jemalloc reports where RSS goes: no action can be chosen. A build with jemalloc reports it',
    ],
    [
      { kind: 'no-layers', why: 'not-reported', beyondUsed: 2 * GIB } as const,
      'the server does not report where the 2 GiB beyond used_memory are (no allocator_* fields in INFO memory): no action can be chosen. Redis 5.0 and later, and Valkey, report it, unless a service leaves it out',
    ],
  ])('%#', (finding, text) => expect(findingText(finding)).toBe(text));

  const DENIAL = { issue: 'redis/redis#13307', why: 'it crashes in defragLaterStep', fixedIn: 'Redis 7.2.6' };

  test.each<readonly [Obstacle, string]>([
    [
      { kind: 'unknown-engine', version: '' },
      '. Offpeak does not return them: it does not know this engine; a restart returns them',
    ],
    [{ kind: 'already-on' }, ': active defrag is on already'],
    [
      { kind: 'disabled', setting: 'defrag.enabled' },
      '. Offpeak may not defragment here: defrag.enabled is false in the config. To allow it, set defrag.enabled to true',
    ],
    [
      { kind: 'denied-version', denial: DENIAL },
      '. Offpeak does not return them: active defrag is unsafe on this version: it crashes in defragLaterStep (redis/redis#13307); lifted by Redis 7.2.6',
    ],
    [
      { kind: 'config-refused' },
      '. Offpeak does not return them: the server refuses CONFIG (a managed service, or an ACL without +config|get +config|set); a managed service sets activedefrag in its parameter group',
    ],
    [
      { kind: 'odd-settings', names: ['hz', 'active-defrag-cycle-max'] },
      '. Offpeak does not return them: a value that CONFIG GET prints could not be restored, because its setting cannot hold it (hz, active-defrag-cycle-max); a restart returns them',
    ],
    [
      { kind: 'unsupported' },
      '. Offpeak does not return them: this build refuses active defrag; a restart returns them',
    ],
    [
      { kind: 'not-defraggable', seen: 0, of: 357 * MIB },
      ". Offpeak does not return them: the server's own defragger sees only 0 B of the 357 MiB; a restart returns them",
    ],
  ])('fragmentation and $0.kind', (obstacle, text) => {
    const finding = { ...FINDINGS.fragmented, obstacle };
    expect(findingText(finding)).toBe(
      `357 MiB are free, but scattered over pages that also hold data (79 % of the data)${text}`,
    );
    expect(obstacleNote(obstacle)).toMatch(/^[\x20-\x7e]{20,56}$/);
  });

  test.each<readonly [Obstacle, string]>([
    [
      { kind: 'would-stall', stall: 0.5, firstCycle: 1480 },
      'active defrag would keep clients waiting once for up to 1.5 s as it begins, longer than purge.maxBlock and than ten times defrag.maxStall; purge.maxBlock of 1480 ms would allow it',
    ],
    [
      { kind: 'would-stall', stall: 11, firstCycle: 0 },
      'a cycle of active defrag would keep clients waiting for about 11 ms, longer than defrag.maxStall; defrag.maxStall of 11 ms would allow it',
    ],
  ])('external fragmentation and $0.kind: $0.stall ms', (obstacle, text) => {
    expect(findingText({ ...FINDINGS.fragmented, obstacle })).toMatch(
      new RegExp(`Offpeak does not return them: ${text.replaceAll('.', '\\.')}$`),
    );
    expect(obstacleNote(obstacle)).toMatch(/^[\x20-\x7e]{20,56}$/);
  });

  test.each<readonly [Obstacle, string]>([
    [{ kind: 'unknown-engine', version: '' }, 'it does not know this engine; a restart returns them'],
    [{ kind: 'purge-refused' }, 'the server refuses MEMORY PURGE (a managed service, or an ACL without +memory|purge)'],
    [
      { kind: 'would-block', stall: 1210 },
      'a purge would block clients for longer than purge.maxBlock allows (1.2 s); purge.maxBlock of 1210ms would allow it',
    ],
  ])('free pages and $0.kind', (obstacle, text) => {
    expect(findingText({ ...FINDINGS['free-pages'], obstacle })).toBe(
      `the allocator holds 310 MiB of free pages. Offpeak does not return them: ${text}`,
    );
    expect(obstacleNote(obstacle)).toMatch(/^[\x20-\x7e]{20,56}$/);
  });

  test('free pages that a person has excluded: what would allow it', () => {
    const obstacle = { kind: 'disabled', setting: 'purge.enabled' } as const;
    expect(findingText({ ...FINDINGS['free-pages'], obstacle })).toBe(
      'the allocator holds 310 MiB of free pages. Offpeak may not purge here: purge.enabled is false in the config. To allow it, set purge.enabled to true',
    );
  });

  test('RSS below used_memory is said without claiming swap', () => {
    expect(findingText(FINDINGS['rss-below-used'])).toMatch(
      /RSS \(400 MiB\) is below used_memory \(450 MiB\).*does not say why/,
    );
    expect(findingText(FINDINGS['rss-below-used'])).not.toMatch(/is swapped|has swapped/i);
  });

  test.each(Object.values(FINDINGS))('$kind is plain', (finding) => {
    expect(findingText(finding)).toMatch(/^[\x20-\x7e]{20,400}$/);
  });
});

describe('verdicts', () => {
  test.each([
    [
      aVerdict(),
      'returned 341 MiB of 350 MiB predicted (97 %); RSS went from 841 MiB to 500 MiB; longest stall 3 ms, 5 ms promised',
    ],
    [
      aVerdict({ stall: 0 }),
      'returned 341 MiB of 350 MiB predicted (97 %); RSS went from 841 MiB to 500 MiB; no stall recorded, 5 ms promised',
    ],
    [
      aVerdict({
        action: 'purge',
        kind: 'unchanged',
        reclaimed: 3 * MIB,
        rssAfter: 838 * MIB,
        stall: 130,
        promisedStall: 100,
      }),
      'returned too little: 3 MiB of 350 MiB predicted; RSS went from 841 MiB to 838 MiB; clients blocked for 130 ms, longer than the 100 ms promised',
    ],
    [
      aVerdict({ kind: 'worse', reclaimed: -12 * MIB, rssAfter: 853 * MIB }),
      'RSS grew by 12 MiB instead of returning the 350 MiB predicted; RSS went from 841 MiB to 853 MiB; longest stall 3 ms, 5 ms promised',
    ],
  ])('%#', (verdict, text) => expect(verdictText(verdict)).toBe(text));
});

describe('notices', () => {
  test.each(Object.values(NOTICES))('$kind is plain and carries its why', (notice) => {
    expect(noticeText(notice)).toMatch(/^[\x20-\x7e]{20,200}$/);
    if ('why' in notice) expect(noticeText(notice)).toContain(notice.why);
  });

  test('settings that were left alone are named with their values', () => {
    expect(noticeText(NOTICES['settings-changed'])).toMatch(/stay as they are: hz 50$/);
  });

  test.each([NOTICES['foreign-defrag'], NOTICES['left-on']])('$kind: without a state, no lease is denied', (notice) => {
    const text = noticeText({ ...notice, areLeasesUnknown: true });
    expect(text).toMatch(
      /this command does not know .*: npx offpeak status -c <config> lists the defrags of Offpeak$/i,
    );
    expect(text).not.toMatch(/did not start it|cannot tell/);
  });
});

test('a sentence has a capital and one full stop', () => {
  expect([sentence('it is so'), sentence('357 MiB.'), sentence('why?')]).toEqual([
    'It is so.',
    '357 MiB.',
    'why?'.replace('w', 'W'),
  ]);
});
