import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { HOUR } from '../../../../core/config/units.ts';
import { isReason } from '../../../../core/domain/pause.ts';
import { type StateStore, StateUnavailable } from '../../../../core/ports/state-store.ts';
import { readState } from '../../../../core/reconcile/snapshot.ts';
import { createFileStore } from '../../../../core/state/file/file-store.ts';
import { LONGEST_PAUSE, lifetimeOf } from '../../../../core/state/keys.ts';
import { dropExpired, endPause, putPause, readPauses } from '../../../../core/state/pauses.ts';
import { aLease, NOW } from '../../../support/builders.ts';
import { PAUSE } from '../reporting/samples.ts';

let store: StateStore;
beforeEach(({ onTestFinished }) => {
  const folder = mkdtempSync(join(tmpdir(), 'offpeak-pauses-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  store = createFileStore(join(folder, 'state.db'));
});

const keys = async () => [...(await store.list('')).keys()];
const warnings: string[] = [];
const log = { info: () => {}, warn: (message: string) => void warnings.push(message), error: () => {} };

describe('a pause in the store', () => {
  test('lies on its instance alone, until it ends', async () => {
    await putPause(store, 'sessions', PAUSE);
    const { pauses } = await readState(store, []);
    expect(await keys()).toEqual(['pause#sessions']);
    expect(pauses.pauseOf({ id: 'sessions', nodes: [] }, PAUSE.until - 1)).toEqual(PAUSE);
    expect(pauses.pauseOf({ id: 'sessions', nodes: [] }, PAUSE.until)).toBeUndefined();
    expect(pauses.pauseOf({ id: 'sessions-2', nodes: [] }, NOW)).toBeUndefined();
  });

  test('of all instances lies on every one, beside their own', async () => {
    await putPause(store, '*', { ...PAUSE, until: NOW + 2 * HOUR });
    await putPause(store, 'sessions', { ...PAUSE, until: NOW + HOUR });
    const { pauseOf } = await readPauses(store);
    expect(pauseOf({ id: 'sessions', nodes: [] }, NOW)?.until).toBe(NOW + 2 * HOUR);
    expect(pauseOf({ id: 'any', nodes: [] }, NOW)?.until).toBe(NOW + 2 * HOUR);
  });

  test('takes the place of an earlier one, a longer one as well', async () => {
    await putPause(store, 'a', { ...PAUSE, until: NOW + 9 * HOUR });
    await putPause(store, 'a', PAUSE);
    expect((await readPauses(store)).pauseOf({ id: 'a', nodes: [] }, NOW)).toEqual(PAUSE);
  });

  test('is ended once', async () => {
    await putPause(store, 'a', PAUSE);
    expect([await endPause(store, 'a'), await endPause(store, 'a')]).toEqual([true, false]);
    expect(await keys()).toEqual([]);
  });

  test('is removed once it has expired, and only then', async () => {
    await putPause(store, 'over', { ...PAUSE, until: NOW });
    await putPause(store, '*', { ...PAUSE, until: NOW - 1 });
    await putPause(store, 'on', { ...PAUSE, until: NOW + 1 });
    await dropExpired(store, await readPauses(store), NOW, log);
    expect(await keys()).toEqual(['pause#on']);
  });

  test('that was renewed in the meantime is not removed with the expired one', async () => {
    await putPause(store, 'a', { ...PAUSE, until: NOW - 1 });
    const seen = await readPauses(store);
    await putPause(store, 'a', PAUSE);
    await dropExpired(store, seen, NOW, log);
    expect((await readPauses(store)).pauseOf({ id: 'a', nodes: [] }, NOW)).toEqual(PAUSE);
  });

  test('that cannot be removed is harmless: it is logged, and the tick goes on', async () => {
    await putPause(store, 'a', { ...PAUSE, until: NOW - 1 });
    const pauses = await readPauses(store);
    const remove = () => Promise.reject(new StateUnavailable('read only'));
    await dropExpired({ ...store, remove }, pauses, NOW, log);
    expect(warnings).toEqual(['expired pauses not removed']);
  });

  test('is kept for longer than any pause lasts; a lease for ever, unless it is quarantined', () => {
    expect(lifetimeOf('pause#*', {})).toBeGreaterThan(LONGEST_PAUSE);
    expect(lifetimeOf('lease#pause#', {})).toBeUndefined();
    expect(lifetimeOf('lease#sessions', aLease())).toBeUndefined();
    expect(lifetimeOf('lease#sessions#3f', aLease({ status: 'quarantined' }))).toBe(90 * 24 * HOUR);
    // Of version 0.1.
    expect(lifetimeOf('lease#sessions#3f', {})).toBe(90 * 24 * HOUR);
  });

  test('two people at the same moment: both are told that theirs was stored, and one of them is', async () => {
    const wanted = ['alice', 'bob', 'carol'].map((by) => ({ ...PAUSE, by }));
    await Promise.all(wanted.map((pause) => putPause(store, 'a', pause)));
    expect(wanted).toContainEqual((await readPauses(store)).pauseOf({ id: 'a', nodes: [] }, NOW));
  });

  test('that others change each time is no success', async () => {
    const write = async () => ({ stored: false }) as const;
    await expect(putPause({ ...store, write }, 'a', PAUSE)).rejects.toThrow(
      /^the document pause#a is changed by others/,
    );
  });

  test.each([
    ['no object', 'soon', 'it'],
    ['no end', { reason: 'r', by: 'b', at: 1 }, 'until'],
    ['an end that is text', { ...PAUSE, until: '2026' }, 'until'],
    ['an end beyond all calendars', { ...PAUSE, until: 9e15 }, 'until'],
    ['an empty reason', { ...PAUSE, reason: '' }, 'reason'],
    ['a reason of two lines', { ...PAUSE, reason: 'a\nb' }, 'reason'],
    ['nobody', { ...PAUSE, by: '' }, 'by'],
    ['no beginning', { until: 1, reason: 'r', by: 'b' }, 'at'],
  ])('that is none forbids every start, and can be ended: %s', async (_, value, place) => {
    await store.write('pause#a', value, undefined);
    const message = `the document pause#a cannot be read: ${place} is not as this version writes it; to remove it: npx offpeak resume -c <config>`;
    await expect(readPauses(store)).rejects.toEqual(new StateUnavailable(message));
    expect((await readState(store, [])).obstacle('b', '10.0.0.5:6379')).toBe(message);
    await endPause(store, 'a');
    expect((await readState(store, [])).obstacle('b', '10.0.0.5:6379')).toBeUndefined();
  });

  test('that is none is never written', async () => {
    await expect(putPause(store, 'a', { ...PAUSE, reason: '\u0007' })).rejects.toThrow(TypeError);
    expect(await keys()).toEqual([]);
  });
});

describe('a reason', () => {
  test.each([
    ['Black Friday', true],
    ['x', true],
    ['Umbau für Weihnachten: 24.–26.12., "alles" zu 50 %', true],
    ['migration 🚚', true],
    ['x'.repeat(200), true],
    ['ü'.repeat(200), true],
    ['x'.repeat(201), false],
    ['', false],
    ['   ', false],
    ['two\nlines', false],
    ['tab\there', false],
    ['bell\u0007', false],
    ['esc\u001b[31m', false],
    ['right\u202eleft', false],
    ['nul\u0000', false],
    ['half \ud800', false],
  ])('%j: %s', (text, accepted) => expect(isReason(text)).toBe(accepted));
});
