import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { clientOf } from '../support/fragmented.ts';
import { aWorkplace, runOffpeak } from '../support/offpeak.ts';
import { lacksServer, plainServer } from '../support/servers.ts';

// The steps under "Point it at yours", in their order, as a reader types them.

const [, section = ''] = readFileSync(new URL('../../README.md', import.meta.url), 'utf8').split(
  '## Point it at yours',
);
const STEPS = [
  ...section
    .split('## ', 1)
    .join()
    .matchAll(/^npx offpeak ([^#\n]*)/gm),
].map(([, words = '']) => words.trim().split(/ +/));

describe.skipIf(lacksServer('plain'))('the steps of the README', () => {
  let server: RunningServer;
  beforeAll(async () => {
    server = await plainServer();
    const redis = clientOf(server);
    await redis.set('a', 'b');
    redis.disconnect();
  });
  afterAll(() => server?.stop());

  test('each works after those before it', async () => {
    using place = aWorkplace();
    expect(STEPS.map(([command]) => command)).toEqual(['check', 'keys', 'audit', 'init', 'plan', 'run', 'run']);
    for (const words of STEPS) {
      const typed = words.map((word) => word.replace('127.0.0.1:6379', `127.0.0.1:${server.port}`));
      // Here no person can be asked.
      const answer = words.includes('--now') ? ['--yes'] : [];
      const { code, stderr } = await runOffpeak([...typed, ...answer], { cwd: place.folder });
      // What an audit finds is not wrong usage.
      expect([0, words[0] === 'audit' ? 1 : 0], `${words.join(' ')}: ${stderr}`).toContain(code);
    }
    expect(readFileSync(join(place.folder, 'config/prod.yml'), 'utf8')).toContain('  - id: server\n');
  });
});
