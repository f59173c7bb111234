import { expect, test } from 'vitest';
import type { Clock } from '../../core/ports/clock.ts';
import { SETTINGS } from '../support/builders.ts';
import { aJob, configYaml, OPEN } from '../support/job.ts';
import { planOf } from '../support/outcomes.ts';
import { reportServer } from '../support/report-server.ts';
import { reportInfo } from '../support/reports.ts';

// aiven-docs#1828: active defrag is on for good, and free pages pile up all the same.

/** Waits take no time, and pass. */
function quickClock(): Clock {
  let ahead = 0;
  const wait = async (duration: number) => {
    ahead += duration;
  };
  return { now: () => Date.now() + ahead, sleep: wait, pause: wait };
}

const ON = { ...SETTINGS, activedefrag: 'yes' };
const PURGED = { allocator_resident: 8_300_000_000, used_memory_rss: 8_400_000_000 };
const BODY = `${OPEN}
    purge: { maxBlock: 5s }
    defrag: { enabled: false }`;

test('free pages are purged, the switch stays on, and that it is on is told once', async () => {
  const info = reportInfo('activedefrag-yes-retained');
  await using server = await reportServer(info, ON, reportInfo('activedefrag-yes-retained', PURGED));
  using job = aJob(configYaml(server.port, BODY), { clock: quickClock() });
  const first = await job.tick();
  expect(first.outcomes[0]).toMatchObject({
    kind: 'purged',
    plan: { kind: 'act', action: { kind: 'purge' } },
    verdict: { kind: 'improved' },
    notices: [{ kind: 'foreign-defrag' }],
  });
  expect(server.deeds).toEqual(['MEMORY PURGE']);
  const second = await job.tick();
  expect(planOf(second.outcomes[0])).toMatchObject({ kind: 'skip', reason: 'foreign-defrag' });
  await job.tick();
  expect(job.alerts.map(({ event }) => event).toSorted()).toEqual(['foreign-defrag', 'purged']);
  expect(server.deeds).toEqual(['MEMORY PURGE']);
});
