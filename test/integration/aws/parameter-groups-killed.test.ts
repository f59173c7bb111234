import { describe, expect, test } from 'vitest';
import type { ParameterGroups } from '../../../core/ports/parameter-groups.ts';
import type { Ports } from '../../../core/ports/ports.ts';
import { GROUP_LEASE } from '../../../core/state/keys.ts';
import { refragmented, settingsOf } from '../../support/fragmented.ts';
import { closedWindow, OPEN } from '../../support/job.ts';
import { describeWithMoto } from '../../support/moto.ts';
import { MINUTE, parameterGroupScene, THROUGH } from '../../support/parameter-group-scene.ts';
import { lacksServer } from '../../support/servers.ts';

/** The job's process is dead after so many of its effects: nothing of it reaches the store or AWS any more. */
class Killed extends Error {}

describeWithMoto('active defrag through a parameter group, by a job that is killed', () => {
  describe.skipIf(lacksServer('defrag'))('on a server that refuses CONFIG', () => {
    const { scene, group, parameters, job, untilEnded, pass } = parameterGroupScene();

    test.each(['before', 'after'] as const)(
      'a job that dies %s any of its effects: the next process restores the group',
      async (when) => {
        const { aws, before } = scene();
        const seen: string[][] = [];
        for (let n = 0; n < 12; n++) {
          await scene().moto.reset();
          await refragmented(aws);
          await group('sessions');
          const prior = await parameters();
          const made: string[] = [];
          const first = job(OPEN + THROUGH, { others: dying(n, when, made) });
          await first.tick().catch(() => {});
          await first.tick({ release: 'released' }).catch(() => {});
          for (let more = 0; more < 3 && made.length <= n; more++)
            await first.tick({ release: 'released' }).catch(() => {});
          if (made.length <= n) break;
          seen.push(made);
          pass(2 * MINUTE);
          // Another process, out of its window: it only ends what is on.
          const next = job(closedWindow() + THROUGH, { stateFile: first.stateFile });
          await untilEnded(next);
          expect([made, await parameters(), await settingsOf(aws)]).toEqual([made, prior, before]);
        }
        expect(seen.at(-1)).toEqual(['write', 'set', 'write', 'write', 'reset', 'write', 'remove']);
      },
      900_000,
    );
  });
});

/** Dies before or after its `n`-th effect on the store's lease, or on AWS. */
function dying(n: number, when: 'before' | 'after', made: string[]) {
  const dead = () => made.length > n;
  const effect = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    if (dead()) throw new Killed();
    made.push(what);
    if (made.length <= n) return await work();
    if (when === 'after') await work();
    throw new Killed();
  };
  return (kept: Ports): Partial<Ports> => ({
    store: {
      ...kept.store,
      write: async (key, value, expected) => {
        if (key.startsWith(GROUP_LEASE)) return await effect('write', () => kept.store.write(key, value, expected));
        if (dead()) throw new Killed();
        return await kept.store.write(key, value, expected);
      },
      remove: async (key, expected) => {
        if (key.startsWith(GROUP_LEASE)) return await effect('remove', () => kept.store.remove(key, expected));
        if (dead()) throw new Killed();
        return await kept.store.remove(key, expected);
      },
    },
    parameterGroups: async () => {
      const real = (await kept.parameterGroups?.()) as ParameterGroups;
      return {
        ...real,
        set: (of, values) => effect('set', () => real.set(of, values)),
        reset: (of, names) => effect('reset', () => real.reset(of, names)),
      };
    },
  });
}
