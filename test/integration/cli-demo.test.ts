import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Printed, runOffpeak, startOffpeak } from '../support/offpeak.ts';
import { lacksServer, serverBinary } from '../support/servers.ts';
import { aTracedPlace } from '../support/traced-place.ts';

/** Twice jemalloc's own: with more, so many pages would stay that a purge would block for longer than it may. */
const SLOW_DECAY = { JE_MALLOC_CONF: 'dirty_decay_ms:20000' };

// Each has a server of its own, and waits for it for most of its time: side by side.
describe('offpeak demo', { concurrent: true }, () => {
  describe.skipIf(lacksServer('defrag'))('with a server that can defragment', () => {
    test('fragments it, defragments it, and compares the result with what was promised', async () => {
      using demo = aTracedPlace();
      const { inPlace, expectNothingLeft } = demo;
      // A defrag that takes longer on a busy machine still leaves free pages for the purge.
      const env = { ...inPlace.env, ...SLOW_DECAY };
      const { code, stdout, stderr } = await runOffpeak(['demo', '--no-color'], { ...inPlace, env });
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).not.toContain('\u001b');
      const story = [
        /^Redis \d+\.\d+\.\d+ on port \d+, empty\. Fragmenting it:$/m,
        /writing .*%/,
        /expiring .*%/,
        /fragmentation +[\d.]+ MiB .*active defrag/,
        /done +start active defrag: /,
        /message \(info, defrag-started\)/,
        /done +stop active defrag: /,
        /message \(info, defrag-finished\)/,
        /^Before and after$/m,
        /^ {2}RSS before .* [\d.]+ MiB$/m,
        /^ {2}RSS after .* [\d.]+ MiB$/m,
        /^ {2}after a restart .* [\d.]+ MiB$/m,
        /^ {2}longest cycle +(below 1 ms|[\d.]+ m?s); at most 5 ms for [\d.]+ % of the time \(promised: 99\.9 %\)$/m,
        /^ {2}settings +restored: CONFIG GET \* is as before$/m,
        /^ {2}lease +gone$/m,
      ];
      for (const sentence of story) expect(stdout).toMatch(sentence);
      // On a slow machine the free pages may have left by themselves before the defrag has ended: then there is no purge.
      const purges = stdout.search(/done +purge: /);
      const [stop, end] = [/done +stop active defrag: /, /message \(info, defrag-finished\)/].map((one) =>
        stdout.search(one),
      );
      if (purges >= 0) expect([stop, purges, end]).toEqual([stop, purges, end].toSorted((a = 0, b = 0) => a - b));
      const places = story.map((sentence) => stdout.search(sentence));
      expect(places).toEqual(places.toSorted((a, b) => a - b));
      const share = Number(/^ {2}returned +[\d.]+ MiB of [\d.]+ MiB predicted \((\d+) %\)$/m.exec(stdout)?.[1]);
      expect(share).toBeGreaterThanOrEqual(90);
      expect(share).toBeLessThanOrEqual(115);
      await expectNothingLeft();
    });

    const saw = (words: RegExp) => (printed: Printed) => words.test(printed.stdout);

    test.each([
      ['while it writes', saw(/writing/)],
      ['while keys expire', saw(/expiring/)],
      ['during the defrag', saw(/done +start active defrag/)],
    ])('Ctrl-C %s leaves nothing, and exits with 130', async (_, isSo) => {
      using place = aTracedPlace();
      const { inPlace, running, expectNothingLeft } = place;
      await using demo = startOffpeak(['demo', '--no-color'], inPlace);
      await demo.until(isSo);
      if (process.platform === 'linux') expect(running()).not.toEqual([]);
      demo.signal('SIGINT');
      const { code, stdout, stderr } = await demo.finished;
      expect({ code, stderr }).toEqual({ code: 130, stderr: '\noffpeak: interrupted: cleaning up\n' });
      expect(stdout).not.toContain('Before and after');
      await expectNothingLeft();
    });

    test('Ctrl-C while it looks for a server, too', async () => {
      using place = aTracedPlace();
      const { inPlace, expectNothingLeft } = place;
      for (const ms of [250, 400, 600]) {
        await using demo = startOffpeak(['demo'], inPlace);
        await sleep(ms);
        demo.signal('SIGINT');
        expect((await demo.finished).code).toBe(130);
        await expectNothingLeft();
      }
    });

    test('kill -9 takes its server with it', async () => {
      using place = aTracedPlace();
      await using demo = startOffpeak(['demo'], place.inPlace);
      await demo.until(saw(/writing/));
      demo.signal('SIGKILL');
      await demo.finished;
      await place.untilAlone();
      expect(readdirSync(place.folder).filter((name) => name.startsWith('offpeak-redis-'))).toEqual([]);
    });
  });

  test.skipIf(lacksServer('plain'))(
    'REDIS_SERVER that cannot defragment: exit 2, in the words of the server',
    async () => {
      using place = aTracedPlace();
      const { inPlace, expectNothingLeft } = place;
      const { path, env } = serverBinary('plain');
      const options = { ...inPlace, env: { ...inPlace.env, ...env, REDIS_SERVER: path } };
      const { code, stdout, stderr } = await runOffpeak(['demo'], options);
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain(`offpeak: REDIS_SERVER=${path} cannot defragment (`);
      expect(stderr).toMatch(/Active defragmentation cannot be enabled[\s\S]*; accepted: the path of a redis-server/);
      await expectNothingLeft();
    },
  );

  test.each([
    ['/nowhere/redis-server', /^offpeak: REDIS_SERVER=\/nowhere\/redis-server is not an executable file; accepted: /],
    ['/bin/true', /^offpeak: REDIS_SERVER=\/bin\/true does not start as a server \([\s\S]+\); accepted: /],
  ])('REDIS_SERVER=%s: exit 2', async (path, expected) => {
    using place = aTracedPlace();
    const { inPlace, expectNothingLeft } = place;
    const { code, stderr } = await runOffpeak(['demo'], { ...inPlace, env: { ...inPlace.env, REDIS_SERVER: path } });
    expect(code).toBe(2);
    expect(stderr).toMatch(expected);
    await expectNothingLeft();
  });
});
