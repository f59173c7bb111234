import { expect, test } from 'vitest';
import { factsAt, type NodeContext } from '../../../../core/actions/context.ts';
import { EMPTY_HISTORY } from '../../../../core/domain/node-history.ts';
import { NO_PAUSES } from '../../../../core/domain/pause.ts';
import { anInstance, anObservation, NOW } from '../../../support/builders.ts';

const openUntil = NOW + 3_600_000;

/** The window as a step finds it, in an instance that has none at all. */
function windowAt(now: number, over: Partial<NodeContext>) {
  const context = {
    instance: anInstance({ windows: [] }),
    ports: { clock: { now: () => now } },
    pauses: NO_PAUSES,
    remaining: () => 1,
    claims: { seen: () => undefined },
    ...over,
  } as unknown as NodeContext;
  return factsAt(context, anObservation(), { memory: EMPTY_HISTORY }).window;
}

test('a person may open every window, for a time', () => {
  expect(windowAt(NOW, {}).open).toBe(false);
  expect(windowAt(NOW, { openUntil })).toEqual({ open: true, opensAt: NOW, closesAt: openUntil });
  expect(windowAt(openUntil, { openUntil }).open).toBe(false);
});
