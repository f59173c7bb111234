import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Outcome } from '../../../../core/domain/outcome.ts';
import { StateUnavailable } from '../../../../core/ports/state-store.ts';
import { announcer } from '../../../../core/reconcile/announcer.ts';
import { reportable } from '../../../../core/reconcile/reportable.ts';
import { createFileStore } from '../../../../core/state/file/file-store.ts';
import { OUTBOX } from '../../../../core/state/keys.ts';
import { anInstance, anOutcome, NOW } from '../../../support/builders.ts';
import { purged, purgedAfter, started, stopped } from '../actions/defrag/steps.ts';
import { NOTICES, PAUSE } from '../reporting/samples.ts';

const folder = mkdtempSync(join(tmpdir(), 'offpeak-announcer-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** On a real state file, which may take nothing; `toTell` is what the end of the tick still has to write into the outbox. */
function aTick({ isDown = false } = {}) {
  const file = createFileStore(join(folder, randomUUID()));
  const down = async () => await Promise.reject(new StateUnavailable('the disk is full'));
  const ports = {
    store: isDown ? { ...file, write: down } : file,
    clock: { now: () => NOW, sleep: async () => {}, pause: async () => {} },
    log: { info: () => {}, warn: () => {}, error: () => {} },
  };
  const input = { stage: 'prod', startedAt: NOW, finishedAt: NOW, instances: [anInstance()] };
  const { announce, announced } = announcer({ ports, stage: 'prod', holder: 'a', instance: anInstance() });
  return {
    announce,
    kept: async () => [...(await file.list(OUTBOX)).keys()].map((key) => key.split('/')[3]),
    toTell: (outcomes: readonly Outcome[]) =>
      reportable({ ...input, outcomes }, announced(), ports.log).alerts.map(({ event }) => event),
  };
}

describe('alerts are made once', () => {
  test('what was announced in the middle of a tick is in the outbox, and its end has nothing to add', async () => {
    const { announce, kept, toTell } = aTick();
    const stop = stopped('goal-met', { purge: purgedAfter, notices: [NOTICES['settings-changed']] });
    expect(await announce([stop])).toBe(true);
    expect((await kept()).toSorted()).toEqual(['defrag-finished', 'settings-changed']);
    // What only the end of the tick knows makes no other event of it.
    expect(toTell([{ ...stop, leased: true, pause: PAUSE }])).toEqual([]);
  });

  test('what was not announced is told at the end', async () => {
    const { announce, toTell } = aTick();
    await announce([started]);
    expect(toTell([{ ...purged, node: 'b:1' }])).toEqual(['purged']);
  });

  test('a notice beside an action that was announced already is announced alone', async () => {
    const { announce, kept, toTell } = aTick();
    await announce([purged]);
    const notices = [NOTICES['foreign-defrag']];
    const { plan: _, ...beside } = anOutcome({ before: purged.after, notices });
    await announce([beside]);
    expect((await kept()).toSorted()).toEqual(['foreign-defrag', 'purged']);
    expect(toTell([{ ...purged, notices }])).toEqual([]);
  });

  test('what the outbox has not taken is told at the end, once', async () => {
    const { announce, kept, toTell } = aTick({ isDown: true });
    expect(await announce([purged])).toBe(false);
    expect(await kept()).toEqual([]);
    expect(toTell([purged])).toEqual(['purged']);
  });
});
