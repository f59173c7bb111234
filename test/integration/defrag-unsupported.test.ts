import { describe, expect, it } from 'vitest';
import { verdictIn } from '../../core/domain/outcome.ts';
import { clientOf, fragment, retainPages, settingsOf } from '../support/fragmented.ts';
import { aJob, configYaml, OPEN, SMALL_FLOORS } from '../support/job.ts';
import { untilOldEnough } from '../support/offpeak.ts';
import { plansOf } from '../support/outcomes.ts';
import { keepingServer, lacksServer } from '../support/servers.ts';

describe.skipIf(lacksServer('plain'))('on a server whose build refuses to defragment', () => {
  it('says `unsupported` without an error, tells it once, and still purges', async () => {
    // Else free pages leave by jemalloc's decay, in ten seconds or later, just when they are looked at for the second time.
    await using server = await keepingServer({}, 'plain');
    const redis = clientOf(server);
    await fragment(redis, 120 * 1024 * 1024);
    using job = aJob(
      configYaml(
        server.port,
        `${OPEN}
    purge: { minReclaim: 64MiB }
    defrag: { minReclaim: 24MiB }
    maxOpsPerSecond: 100000`,
      ),
    );
    const before = await settingsOf(redis);
    await untilOldEnough(redis);
    const ticks = [await job.tick(), await job.tick()];
    expect(plansOf(ticks)).toEqual(['unsupported', 'unsupported']);
    expect(ticks.flatMap(({ outcomes }) => outcomes.map(({ kind }) => kind))).toEqual(['observed', 'observed']);
    expect(job.alerts.map(({ event }) => event)).toEqual(['defrag-unsupported']);
    expect(await settingsOf(redis)).toEqual(before);

    await retainPages(redis);
    // Under load some of the pages leave while they are made.
    using purging = aJob(configYaml(server.port, OPEN + SMALL_FLOORS.replace('24MiB, maxBlock', '8MiB, maxBlock')));
    const purged = await purging.tick();
    expect(purged.outcomes[0]).toMatchObject({
      kind: 'purged',
      plan: { action: { kind: 'purge' } },
      verdict: { kind: 'improved' },
    });
    expect(purged.outcomes.flatMap((one) => verdictIn(one)?.share ?? [])[0]).toBeGreaterThan(0.8);
    expect(purging.alerts.map(({ event }) => event)).toContain('purged');
    redis.disconnect();
  });
});
