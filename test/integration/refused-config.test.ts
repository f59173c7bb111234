import type { Redis } from 'ioredis';
import { describe, expect, test } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { systemClock } from '../../core/adapters/clock.ts';
import { HOUR, MIB } from '../../core/config/units.ts';
import { clientOf, fragment } from '../support/fragmented.ts';
import { aJob, configYaml, OPEN, SMALL_FLOORS } from '../support/job.ts';
import { untilOldEnough } from '../support/offpeak.ts';
import { planOf } from '../support/outcomes.ts';
import { keepingServer, lacksServer } from '../support/servers.ts';

const PASSWORD = 'battery-staple-7c1f';
const plainKeeping = (...args: readonly string[]) => keepingServer({ args }, 'plain');

/** Holes for a defragger and free pages for a purge. */
async function untidy(server: RunningServer, redis: Redis = clientOf(server)): Promise<void> {
  await fragment(redis, 100 * MIB);
  const keys = Array.from({ length: 120 }, (_, index) => `big:${index}`);
  for (const key of keys) await redis.setrange(key, MIB - 1, 'x');
  await redis.del(...keys);
  redis.disconnect();
}

function configFor(limited: RunningServer, renamed: RunningServer): string {
  return `instances:
  - id: limited
    url: ${limited.url}
    credentials: { username: keeper, password: "env:KEEPER_PASSWORD" }${OPEN}${SMALL_FLOORS}
  - id: renamed
    url: ${renamed.url}${OPEN}${SMALL_FLOORS}
`;
}

// Each has servers of its own, and waits for most of its time: side by side.
describe.skipIf(lacksServer('plain'))('where CONFIG is refused', { concurrent: true }, () => {
  test('by an ACL, or because it is renamed: the layers are seen, a purge works, defrag says config-refused', async () => {
    await using limited = await plainKeeping();
    await using renamed = await plainKeeping('--rename-command', 'CONFIG', '');
    const admin = clientOf(limited);
    await admin.acl('SETUSER', 'keeper', 'on', `>${PASSWORD}`, '+info', '+memory|purge', '+ping');
    await Promise.all([untidy(limited), untidy(renamed)]);
    await untilOldEnough(admin);

    using job = aJob(configFor(limited, renamed), { env: { KEEPER_PASSWORD: PASSWORD } });
    const first = await job.tick();
    for (const outcome of first.outcomes) {
      expect(outcome).toMatchObject({
        kind: 'purged',
        plan: { kind: 'act', action: { kind: 'purge' }, reason: 'free-pages' },
        verdict: { action: 'purge', kind: 'improved', promisedStall: 1000 },
        before: { observation: { refused: expect.arrayContaining(['config|get']) } },
      });
      expect(outcome.before?.diagnosis.layers?.externalFragmentation).toBeGreaterThan(24 * MIB);
    }
    expect(job.alerts.map(({ instance, event }) => `${instance} ${event}`).sort()).toEqual([
      'limited purged',
      'renamed purged',
    ]);

    const second = await job.tick();
    expect(second.outcomes.map((one) => [one.kind, planOf(one)])).toEqual([
      ['observed', { kind: 'skip', reason: 'config-refused' }],
      ['observed', { kind: 'skip', reason: 'config-refused' }],
    ]);
    expect(second.idle).toBe(true);
    // NOPERM for CLIENT SETNAME is nobody's trouble: what the server logs as refused is CONFIG and LATENCY alone.
    const refused = String(await admin.acl('LOG'));
    expect(refused).toContain('config|get');
    expect(refused).not.toMatch(/memory\|purge|,info,|activedefrag/);
    expect(JSON.stringify([first, second, job.logs, job.metrics, job.alerts])).not.toContain(PASSWORD);
    admin.disconnect();
  });

  test('a server that does not know MEMORY PURGE is asked once, with one message, also in later nights', async () => {
    await using server = await plainKeeping('--rename-command', 'MEMORY', '');
    await untidy(server);
    const admin = clientOf(server);
    await untilOldEnough(admin);
    let now = Date.now();
    const floors = '\n    purge: { minReclaim: 1MiB, maxBlock: 1s }\n    defrag: { enabled: false }';
    using job = aJob(configYaml(server.port, `${OPEN}${floors}\n    maxOpsPerSecond: 100000`), {
      clock: { ...systemClock(), now: () => now },
    });
    const plans = [];
    for (const later of [0, 21 * HOUR, 21 * HOUR]) {
      now += later;
      plans.push(planOf((await job.tick()).outcomes[0]));
    }
    expect(plans).toMatchObject(plans.map(() => ({ kind: 'skip', reason: 'purge-refused' })));
    expect(job.alerts.map(({ event }) => event)).toEqual(['action-failed']);
    admin.disconnect();
  });
});
