import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../../cli/lab/start.ts';
import { clientOf, fragment, refragmented } from '../../support/fragmented.ts';
import { OPEN, SMALL_FLOORS } from '../../support/job.ts';
import { describeWithMoto } from '../../support/moto.ts';
import { untilOldEnough } from '../../support/offpeak.ts';
import { MINUTE, parameterGroupScene, THROUGH } from '../../support/parameter-group-scene.ts';
import { defragServer, lacksServer } from '../../support/servers.ts';

describeWithMoto('the nodes of a parameter group and those of other instances share maxDefragsAtOnce', () => {
  describe.skipIf(lacksServer('defrag'))('on two servers, of which AWS has one', () => {
    const { group, job, changes, untilEnded, pass } = parameterGroupScene();
    let plain: RunningServer;
    let client: Redis;
    beforeAll(async () => {
      plain = await defragServer();
      client = clientOf(plain);
      await fragment(client);
      await untilOldEnough(client);
    });
    afterAll(async () => {
      client?.disconnect();
      await plain?.stop();
    });
    const both = (overrides: Parameters<typeof job>[1] = {}) => {
      // Another host than that of the group's nodes.
      const other = `\n  - id: plain\n    url: redis://localhost:${plain.port}${OPEN}${SMALL_FLOORS}`;
      return job(`${OPEN}${THROUGH}${other}\nmaxDefragsAtOnce: 1`, overrides);
    };

    test('a group waits while a node is defragmented', async () => {
      await group('sessions');
      await refragmented(client);
      const one = both();
      const { outcomes, remarks } = await one.tick();
      expect(outcomes).toContainEqual(expect.objectContaining({ instance: 'plain', kind: 'started' }));
      expect(remarks.at(-1)).toMatch(
        /not switched, though .*maxDefragsAtOnce of 1 has no room for its 1 nodes at once, beside localhost:\d+/,
      );
      expect(changes()).toEqual([]);
      await one.tick({ release: 'released' });
    });

    test('a node waits while a group is switched, and goes on when it is restored', async () => {
      await group('sessions');
      await refragmented(client);
      const first = job();
      expect((await first.tick()).remarks.at(-1)).toMatch(/: started/);
      const second = both({ stateFile: first.stateFile });
      const plan = async () => (await second.tick()).outcomes.find(({ instance }) => instance === 'plain');
      expect(await plan()).toMatchObject({
        kind: 'observed',
        plan: { blockers: [{ kind: 'stage-limit', limit: 1, nodes: [expect.stringMatching(/:/)] }] },
      });
      await untilEnded(first, { release: 'released' });
      // Its claim runs out with the time that its job had.
      pass(2 * MINUTE);
      expect(await plan()).toMatchObject({ kind: 'started' });
      await second.tick({ release: 'released' });
    });
  });
});
