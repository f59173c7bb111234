import { describe, expect, test } from 'vitest';
import type { Observation } from '../../../../core/domain/observation.ts';
import type { Session } from '../../../../core/ports/node-session.ts';
import { isStale, revisit, ServerReplaced } from '../../../../core/reconcile/revisit.ts';
import { anInstance, anObservation } from '../../../support/builders.ts';

const FIRST = anObservation({ runId: 'a'.repeat(40), activity: { ownCommands: 13, totalCommandsProcessed: 100 } });

/** A server that answers with these observations in turn, and counts what is asked of it. */
function aServer(...answers: readonly Observation[]) {
  const asked: string[] = [];
  const left = [...answers];
  const session = {
    look: async () => {
      asked.push('look');
      return left.shift() ?? FIRST;
    },
    keepAlive: async () => void asked.push('ping'),
    purge: async () => {
      asked.push('purge');
      return { done: true, blocked: 1 } as const;
    },
    close: () => void asked.push('close'),
  } as Partial<Session> as Session;
  const open = async () => {
    asked.push('open');
    return session;
  };
  const node = { id: 'one:6379', host: 'one', port: 6379, tls: false };
  return { asked, session: revisit(open, { instance: anInstance(), node, observation: FIRST }) };
}

describe('a server that was observed, and whose connection was closed', () => {
  test('is not connected to unless it is used', async () => {
    const { session, asked } = aServer();
    await session.keepAlive();
    session.close();
    expect(asked).toEqual([]);
  });

  test('is looked at when it is connected to, once, and a later look is a look of its own', async () => {
    const { session, asked } = aServer();
    await session.look();
    expect(asked).toEqual(['open', 'look']);
    await session.look();
    await session.keepAlive();
    session.close();
    await Promise.resolve();
    expect(asked).toEqual(['open', 'look', 'look', 'ping', 'close']);
  });

  test('is acted on only if the same process answers', async () => {
    const { session, asked } = aServer({ ...FIRST, runId: 'b'.repeat(40) });
    await expect(session.purge(1_000)).rejects.toThrow(ServerReplaced);
    await expect(session.purge(1_000)).rejects.toThrow('one:6379: another server answers than at the check before');
    expect(asked).toEqual(['open', 'look', 'close']);
  });

  test('has counted the commands of both connections', async () => {
    const { session } = aServer({ ...FIRST, activity: { ownCommands: 13, totalCommandsProcessed: 120 } });
    // Thirteen before its INFO, that INFO, and thirteen before the second one.
    expect((await session.look()).activity.ownCommands).toBe(27);
  });
});

test('an observation is stale after two seconds, by the clock that is never set where there is one', () => {
  const clock = { now: () => 10_000, elapsed: () => 5_000 };
  expect(isStale({ ...FIRST, at: 0, monotonic: 4_000 }, clock)).toBe(false);
  expect(isStale({ ...FIRST, at: 10_000, monotonic: 2_000 }, clock)).toBe(true);
  expect(isStale({ ...FIRST, at: 9_000 }, { now: () => 10_000 })).toBe(false);
  expect(isStale({ ...FIRST, at: 11_000 }, { now: () => 10_000 })).toBe(true);
});
