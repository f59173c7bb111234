import { expect, test } from 'vitest';
import { SECOND } from '../../core/config/units.ts';
import { infoText } from '../support/info-texts.ts';
import { aJob, configYaml } from '../support/job.ts';
import { bulk, oddServer, respServer } from '../support/odd-server.ts';
import { reportServer } from '../support/report-server.ts';

/** Knows one primary, and no replica of it. */
const sentinelOf = (port: number) =>
  respServer(([, what]) => {
    if (what !== 'MASTER') return '*0\r\n';
    const words = ['ip', '127.0.0.1', 'port', String(port)].map((word) => bulk(word));
    return Buffer.concat([Buffer.from('*4\r\n'), ...words]);
  });
const setOf = (id: string, sentinels: readonly string[]) =>
  `  - { id: ${id}, discover: { sentinel: { name: main, sentinels: [${sentinels.join(', ')}] } } }\n`;

test('F7: sentinels that do not answer take 20 s in all, and the one that answered last is asked first', async () => {
  await using silent = await oddServer(() => {}, '0.0.0.0');
  await using well = await reportServer(infoText('redis-7.0.15'));
  await using known = await reportServer(infoText('redis-7.0.15'));
  await using sentinel = await sentinelOf(known.port);
  const found = setOf('found', [`redis://127.0.0.1:${sentinel.port}`]);
  using first = aJob(`instances:\n${found}`);
  await first.tick();

  const dead = Array.from({ length: 400 }, (_, n) =>
    setOf(
      `dead-${n}`,
      [1, 2, 3].map((host) => `redis://127.0.0.${host}:${silent.port}`),
    ),
  );
  using job = aJob(`${configYaml(well.port)}${dead.join('')}${found}`, { stateFile: first.stateFile });
  const startedAt = performance.now();
  const tick = await job.tick();
  // Sixteen at a time, with two seconds for each of three sentinels, are two and a half minutes.
  expect(performance.now() - startedAt).toBeLessThan(100 * SECOND);
  expect(tick.undiscovered).toHaveLength(400);
  expect(tick.outcomes.map(({ instance, kind }) => [instance, kind])).toEqual([
    ['sessions', 'observed'],
    ['found', 'observed'],
  ]);
  const unasked = tick.remarks.filter((text) =>
    text.includes('it was not asked: others have not answered within 20 s'),
  );
  expect(unasked.length).toBeGreaterThan(0);
  expect(tick.troubles).toEqual([]);
});
