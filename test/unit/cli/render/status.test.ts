import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { doneLines, doneOn } from '../../../../cli/render/history.ts';
import { heldVersions, statusAt, statusLines } from '../../../../cli/render/status.ts';
import { historyJson, statusJson } from '../../../../cli/render/status-json.ts';
import { WEEKDAYS } from '../../../../core/config/calendar.ts';
import { HOUR, MIB } from '../../../../core/config/units.ts';
import {
  EMPTY_HISTORY,
  joinedResults,
  MOST_RESULTS,
  type NodeHistory,
  recorded,
  withResult,
} from '../../../../core/domain/node-history.ts';
import { NO_PAUSES } from '../../../../core/domain/pause.ts';
import type { State } from '../../../../core/reconcile/snapshot.ts';
import { aLease, anInstance, aVerdict, NODE, NOW } from '../../../support/builders.ts';
import { aGroupLease } from '../../../support/group-leases.ts';
import { PAUSE } from '../../core/reporting/samples.ts';

const PAGE = readFileSync(new URL('../../../../docs/cli-json.md', import.meta.url), 'utf8');
const ZONE = 'Europe/Berlin';
const defragged = withResult(EMPTY_HISTORY, aVerdict({ lasted: 90_000 }), NOW - HOUR, { because: 'goal-met' });
const history = withResult(
  defragged,
  aVerdict({ action: 'purge', reclaimed: -3 * MIB, kind: 'worse' }),
  NOW - 2 * HOUR,
);

function stateOf(over: Partial<State> = {}): State {
  return {
    leases: new Map(),
    quarantined: [],
    records: [],
    pauses: NO_PAUSES,
    stageDocument: 'none',
    obstacle: () => undefined,
    unreadable: new Map(),
    historyOf: (node) => (node === NODE ? history : EMPTY_HISTORY),
    ...over,
  };
}

const lease = aLease({ byHand: true, holder: 'run on web-1, process 4711, since 2026-11-24T01:00:00Z (3f2a)' });
const FULL = stateOf({
  leases: new Map([[lease.instance, { key: 'lease#sessions', lease, version: 1 }]]),
  pauses: {
    ...NO_PAUSES,
    stored: new Map([
      ['*', { pause: { ...PAUSE, until: NOW + HOUR }, version: 1 }],
      ['old', { pause: { ...PAUSE, until: NOW }, version: 1 }],
    ]),
  },
  unreadable: new Map([['pause#b', 'the document pause#b cannot be read']]),
});
const GROUP = aGroupLease();
const found = { by: 'carts', group: 'carts', pausedUntil: NOW + 2 * HOUR };
const SHARDS = Array.from({ length: 7 }, (_, n) => anInstance({ id: `carts/000${n + 1}`, nodes: [], found }));
const instances = [anInstance(), anInstance({ id: 'watched', windows: [], nodes: [] }), ...SHARDS];

test('says what is on, by which job, until when; which pauses hold; when windows open; what was done', () => {
  const text = statusLines(statusAt({ instances }, FULL, { now: NOW, groups: [GROUP] }), ZONE).join('\n');
  expect(text).toMatch(/^cannot be read, so that nothing is started there: the document pause#b cannot be read\n/);
  expect(text).toMatch(
    /Defrags of Offpeak that are on:\n {2}sessions 10\.0\.3\.17:6379: running, started by hand \(run --now\), since Tue 2026-11-24 \d\d:\d\d Europe\/Berlin\n/,
  );
  expect(text).toMatch(/ at the latest; [\d.]+ MiB predicted; last worked on by run on web-1, process 4711, since /);
  expect(text).toMatch(/Pauses:\n {2}all instances: paused until Tue 2026-11-24 03:14 Europe\/Berlin by /);
  expect(text).not.toMatch(/old: paused/);
  expect(text).toMatch(
    /\n {2}carts\/0001, .*, carts\/0005 and 2 more: paused until Tue 2026-11-24 04:14 Europe\/Berlin by its tag \("offpeak:pause-until"\)\n/,
  );
  expect(text).toMatch(
    /\n {2}parameter group own \(elasticache, eu-west-1\), 1 nodes of a: running, since Tue 2026-11-24 \d\d:\d\d Europe\/Berlin\n {4}ends at .* at the latest; 300 MiB predicted; last worked on by job\n/,
  );
  expect(text).toMatch(/\n {2}watched +none: Offpeak only watches it\n/);
  expect(text).toMatch(
    /\n {2}sessions {2}10\.0\.3\.17:6379 {2}defrag .* Tue 2026-11-24 01:14 Europe\/Berlin {2}done: the fragmentation is removed$/m,
  );
  expect(text).not.toMatch(/ purge /);
});

test('which versions get no defrag now, until when, and what to look at', () => {
  const engine = { name: 'redis', version: '7.0.15' } as const;
  const fall = { node: NODE, runId: 'a', engine, how: 'unchecked', at: NOW - HOUR, until: NOW + 19 * HOUR } as const;
  const earlier = { ...fall, node: 'b:6379', at: NOW - 2 * HOUR };
  const over = { ...fall, engine: { ...engine, version: '7.2.1' }, until: NOW - 1 };
  const held = (stageDocument: State['stageDocument']) => heldVersions(stateOf({ stageDocument }), NOW, ZONE);
  expect(held({ claims: [], falls: [earlier, fall, over] })).toEqual([
    'redis 7.0.15: a server of this version may have crashed during active defrag (10.0.3.17:6379 could not be checked), so no defrag before Tue 2026-11-24 21:14 Europe/Berlin, or until it can be; see its error',
  ]);
  expect(held('the document brakes cannot be read')).toEqual([]);
});

test('a window that never closes has no end', () => {
  const always = [{ days: [...WEEKDAYS], start: '00:00', duration: 24 * HOUR }];
  const text = statusLines(statusAt({ instances: [anInstance({ windows: always })] }, stateOf(), { now: NOW }), ZONE);
  expect(text).toContain('  sessions  open at all times');
});

test('every time is absolute and in the one zone', () => {
  const lines = statusLines(statusAt({ instances }, FULL, { now: NOW, groups: [GROUP] }), ZONE);
  const times = lines
    .flatMap((line) => line.match(/\b\d\d:\d\d\b.{0,15}/g) ?? [])
    .filter((time) => !/T\d\d/.test(time));
  expect(times.length).toBeGreaterThan(3);
  for (const time of times) expect(time).toMatch(/^\d\d:\d\d Europe\/Ber|^\d\d:\d\dZ|^\d\d:00Z/);
});

test('where there is nothing, it says so', () => {
  const text = statusLines(statusAt({ instances: [] }, stateOf(), { now: NOW }), ZONE).join('\n');
  expect(text).toMatch(/^No defrag of Offpeak is on\.\nNo instance is paused\.\n/);
  expect(text).toMatch(/No action is known of these nodes\.$/);
});

test('as JSON: the same, times in ISO 8601, every field documented', () => {
  const head = { at: NOW, stage: 'prod', state: '/a/prod.db' };
  const [status, past] = [
    statusJson(head, statusAt({ instances }, FULL, { now: NOW, groups: [GROUP] })),
    historyJson(head, doneOn(instances, FULL)),
  ];
  expect(JSON.parse(status)).toMatchObject({
    schema: 1,
    at: '2026-11-24T01:14:05.000Z',
    state: '/a/prod.db',
    leases: [{ instance: 'sessions', node: NODE, byHand: true, phase: 'running' }],
    parameterGroups: [
      { group: 'own', nodes: [{ instance: 'sessions', node: NODE }], applied: { activedefrag: 'yes' } },
    ],
    results: [{ node: NODE, action: 'defrag', because: 'goal-met' }],
  });
  const { pauses, windows } = JSON.parse(status);
  expect(pauses.map(({ instance }: { instance: string }) => instance)).toEqual(['*', ...SHARDS.map(({ id }) => id)]);
  expect(windows).toMatchObject([
    { instance: 'sessions' },
    { instance: 'watched', open: false },
    ...SHARDS.map(() => ({})),
  ]);
  expect(JSON.parse(past).results).toMatchObject([
    { action: 'defrag' },
    { action: 'purge', reclaimed: -3 * MIB, kind: 'worse' },
  ]);
  expect(status + past).not.toMatch(/\b1[4-9]\d{11}\b/);
  const documented = new Set([...PAGE.matchAll(/`([\w.]+)`/g)].flatMap(([, name = '']) => name.split('.')));
  const keys = [...(status + past).matchAll(/"(\w+)":/g)].map(([, key = '']) => key);
  expect([...new Set(keys)].filter((key) => !documented.has(key))).toEqual([]);
});

describe('one run is one row', () => {
  const then = (at: number) =>
    withResult(EMPTY_HISTORY, aVerdict({ action: 'purge', reclaimed: 5 * MIB }), at, { partOf: 'defrag' });
  const linesOf = (known: NodeHistory) => doneLines(doneOn([anInstance()], { historyOf: () => known }), ZONE);

  test('the purge of a defrag stands below it, with a label, whatever other nodes did in between', () => {
    const [node, { nodes }] = ['10.0.3.18:6379', anInstance()];
    const instance = anInstance({ nodes: nodes.flatMap((one) => [one, { ...one, id: node }]) });
    const one = withResult(then(NOW - 5), aVerdict({ lasted: 90_000 }), NOW, { because: 'goal-met' });
    const two = withResult(EMPTY_HISTORY, aVerdict({ action: 'purge' }), NOW - 3);
    const done = doneOn([instance], { historyOf: (id) => (id === node ? two : one) });
    const [, first, second, third, blank, legend] = doneLines(done, ZONE);
    expect(first).toMatch(/^ {2}sessions {2}10\.0\.3\.17:6379 {2}defrag .* done: the fragmentation is removed$/);
    expect(second).toMatch(/^ {28}\+ purge +5 MiB /);
    expect(third).toMatch(/^ {2}sessions {2}10\.0\.3\.18:6379 {2}purge /);
    expect([blank, legend]).toEqual(['', expect.stringContaining('its bytes are part of that row')]);
  });

  test('a purge whose defrag is not known says what it was', () => {
    expect(linesOf(then(NOW))[1]).toMatch(/^ {2}sessions {2}10\.0\.3\.17:6379 {2}purge after a defrag +5 MiB /);
    expect(linesOf(then(NOW))).toHaveLength(2);
  });

  test('a purge of its own is a row of its own', () => {
    const own = withResult(EMPTY_HISTORY, aVerdict({ action: 'purge' }), NOW - 5);
    const lines = linesOf(withResult(own, aVerdict(), NOW, { because: 'goal-met' }));
    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatch(/^ {2}sessions {2}10\.0\.3\.17:6379 {2}purge /);
  });

  test('a defrag by a parameter group names it, and claims no stall', () => {
    const { stall: _, ...result } = { ...aVerdict(), at: NOW, through: 'carts-valkey8', because: 'goal-met' };
    const { action, dataGrowth: __, share: ___, ...kept } = result;
    expect(linesOf(recorded(EMPTY_HISTORY, action, kept))[1]).toMatch(
      /^ {2}sessions {2}10\.0\.3\.17:6379 {2}defrag by the group carts-valkey8 .* done: the fragmentation is removed$/,
    );
  });
});

describe('how a run ended is told apart', () => {
  const endOf = (because: string, over: Parameters<typeof aVerdict>[0] = {}) => {
    const known = withResult(EMPTY_HISTORY, aVerdict(over), NOW, { because });
    const [heads, row = ''] = doneLines(doneOn([anInstance()], { historyOf: () => known }), ZONE);
    return row.slice(heads?.indexOf('ended'));
  };

  test('a run that did what could be done, from one that returned too little', () => {
    expect(endOf('no-progress')).toBe('done: nothing more to move');
    expect(endOf('no-progress', { kind: 'unchanged' })).toBe('returned too little: nothing more to move');
    expect(endOf('goal-met', { kind: 'worse' })).toBe('RSS grew: the fragmentation is removed');
  });

  test('one that was to end, from one that had to, each with its name in the runbook', () => {
    expect(endOf('window-closed')).toBe('stopped: the window has closed (window-closed)');
    expect(endOf('stall-spent')).toBe('ended early: its cycles were too long (stall-spent)');
    expect(endOf('forking')).toBe('ended early: a forked child process is running (forking)');
  });

  test('a reason of a newer version is named', () => {
    expect(endOf('moonlight')).toBe('ended early: "moonlight" (moonlight)');
  });
});

test('a result that is recorded twice is there once', () => {
  const once = withResult(EMPTY_HISTORY, aVerdict(), NOW);
  expect(withResult(once, aVerdict(), NOW)).toEqual(once);
});

test('ten results of each action are kept, the newest first, and two histories become one', () => {
  const many = Array.from({ length: 14 }, (_, index) => index).reduce<NodeHistory>(
    (known, index) => withResult(known, aVerdict(), NOW + index),
    EMPTY_HISTORY,
  );
  const { defrag } = many.byAction;
  expect(defrag?.results?.map(({ at }) => at - NOW)).toEqual([13, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
  const before = withResult(EMPTY_HISTORY, aVerdict(), NOW + 20).byAction.defrag;
  const joined = joinedResults(defrag ?? { ineffective: 0 }, before ?? { ineffective: 0 }).results;
  expect(joined).toHaveLength(MOST_RESULTS);
  expect(joined?.slice(0, 2).map(({ at }) => at - NOW)).toEqual([20, 13]);
  expect(joinedResults(defrag ?? { ineffective: 0 }, defrag ?? { ineffective: 0 }).results).toEqual(defrag?.results);
});
