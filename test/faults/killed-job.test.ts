import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { putPause } from '../../functions/maintain/pauses.ts';
import { HOUR } from '../../functions/shared/config/units.ts';
import { createFileStore } from '../../functions/shared/state/file-store.ts';
import { settingsOf } from '../support/fragmented.ts';
import { lacksServer } from '../support/servers.ts';
import { aPlace, configAt, type Place, refragmented, sceneAt } from './scene.ts';
import { expectRow } from './table.ts';

const SCRIPT = join(import.meta.dirname, 'job-process.ts');
/** More than any tick of one instance asks for: a loop that gets there does not count what it should. */
const MANY = 60;

describe.skipIf(lacksServer('defrag') || lacksServer('plain'))('the job as processes of their own', () => {
  let place: Place;
  let before: Readonly<Record<string, string>>;
  let folder: string;
  let stateFile: string;

  beforeAll(async () => {
    place = await aPlace('defrag');
    before = await settingsOf(place.redis);
    folder = mkdtempSync(join(tmpdir(), 'offpeak-killed-'));
    writeFileSync(join(folder, 'config.yml'), configAt(place));
  });
  beforeEach(() => {
    stateFile = join(folder, 'state.json');
    rmSync(stateFile, { force: true });
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await place?.[Symbol.asyncDispose]();
  });

  /** One tick, killed after an effect if there is one of that number. */
  async function aTick(holder: string, effect = 0) {
    const args = [SCRIPT, join(folder, 'config.yml'), stateFile, holder, String(effect)];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [lines, ended] = await Promise.all([linesOf(child), once(child, 'close')]);
    const of = (kind: string) => lines.filter(([first]) => first === kind).map(([, words = '']) => words);
    return { killed: ended[1] === 'SIGKILL', told: of('told'), outcomes: of('outcome') };
  }

  /** Each time from a fresh state: what happens until the job is killed after its n-th effect, and what follows. */
  async function killAfterEach(prepare: () => Promise<readonly string[]>) {
    const told = new Set<string>();
    let [clean, effect] = [0, 0];
    for (let isKilled = true; isKilled && effect < MANY; ) {
      effect++;
      rmSync(stateFile, { force: true });
      await refragmented(place);
      const earlier = await prepare();
      const tick = await aTick('killed', effect);
      isKilled = tick.killed;
      const isTouched = !isDeepStrictEqual(await settingsOf(place.redis), before) || earlier.length > 0;
      await using scene = sceneAt(place, { stateFile });
      clean = Math.max(clean, await scene.ticksUntilClean(before));
      const words = [...earlier, ...tick.told, ...scene.told()];
      // Whatever it had begun when it died, somebody hears of its end.
      if (isTouched) expect(words).toContain('defrag-aborted');
      for (const word of words) told.add(word);
    }
    return { clean, told: [...told].sort(), effects: effect };
  }

  test('killed after each effect of the tick that starts a defrag', async () => {
    const { effects, ...seen } = await killAfterEach(async () => []);
    expect(effects).toBeGreaterThan(15);
    expect(effects).toBeLessThan(MANY);
    expectRow({
      fault: 'the job killed (`kill -9`) after each effect of the tick that starts',
      outcome: 'killed',
      ...seen,
    });
  }, 300_000);

  test('killed after each effect of the tick that ends a defrag', async () => {
    const { effects, ...seen } = await killAfterEach(async () => {
      const { told } = await aTick('starter');
      const now = Date.now();
      await putPause(createFileStore(stateFile), 'ill', { until: now + HOUR, reason: 'fault', by: 'test', at: now });
      return told;
    });
    expect(effects).toBeGreaterThan(15);
    expect(effects).toBeLessThan(MANY);
    expectRow({
      fault: 'the job killed (`kill -9`) after each effect of the tick that ends',
      outcome: 'killed',
      ...seen,
    });
  }, 300_000);

  test('two at once', async () => {
    const ticks = await Promise.all([aTick('one'), aTick('another')]);
    const outcomes = ticks.flatMap((tick) => tick.outcomes).sort();
    expect(outcomes.filter((outcome) => outcome === 'acted: start-defrag')).toHaveLength(1);
    await using scene = sceneAt(place, { stateFile });
    const clean = await scene.ticksUntilClean(before);
    const told = [...new Set([...ticks.flatMap((tick) => tick.told), ...scene.told()])];
    expectRow({ fault: 'two jobs at once', outcome: 'one acts: start-defrag', clean, told });
  });
});

async function linesOf({ stdout }: ChildProcess): Promise<(readonly string[])[]> {
  let text = '';
  for await (const chunk of stdout ?? []) text += chunk;
  return text.split('\n').map((line) => {
    const [, kind = '', words = ''] = /^(\w+) (.*)$/.exec(line) ?? [];
    return [kind, words];
  });
}
