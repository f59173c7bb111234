import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Settings } from './messes.ts';
import { type CleanedUp, configAt, type Place, sceneAt } from './scene.ts';

const SCRIPT = join(import.meta.dirname, 'job-process.ts');
/** More than any tick of one instance asks for: a loop that gets there does not count what it should. */
const MANY = 60;
/** Fewer than any tick asks for that does something. */
const FEW = 15;
/**
 * A job is killed after each so-manieth effect: each kill takes seconds, and the model kills after
 * every one. `npm run test:nightly` sets 1.
 */
const STRIDE = Number(process.env.KILL_STRIDE ?? 4);

/** The job on a place as processes of their own, that share a state file. */
export interface JobRuns extends Disposable {
  readonly stateFile: string;
  forget(): void;
  /** One tick, killed after an effect if there is one of that number. */
  tick(holder: string, effect?: number): Promise<Ended>;
}

interface Ended {
  readonly killed: boolean;
  readonly told: readonly string[];
  readonly outcomes: readonly string[];
}

export function jobRuns(place: Place): JobRuns {
  const folder = mkdtempSync(join(tmpdir(), 'offpeak-killed-'));
  const [configFile, stateFile] = [join(folder, 'config.yml'), join(folder, 'state.db')];
  writeFileSync(configFile, configAt(place));
  return {
    stateFile,
    forget: () => rmSync(stateFile, { force: true }),
    async tick(holder, effect = 0) {
      const args = [SCRIPT, configFile, stateFile, holder, String(effect)];
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      const [lines, ended] = await Promise.all([linesOf(child), once(child, 'close')]);
      const of = (kind: string) => lines.filter(([first]) => first === kind).map(([, words = '']) => words);
      return { killed: ended[1] === 'SIGKILL', told: of('told'), outcomes: of('outcome') };
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A tick that is killed, what it finds, and what somebody has to hear of afterwards. */
interface Killing {
  readonly place: Place;
  readonly runs: JobRuns;
  readonly before: Settings;
  /** Brings about what the tick is for; what was told meanwhile. */
  prepare(): Promise<readonly string[]>;
  /** After the tick: which events would tell of what it has begun; none, if it has begun nothing. */
  owed(): Promise<readonly string[]>;
}

/** Each time from a fresh state: what happens until the job is killed after its n-th effect, and what follows. */
export async function killAfterEach({ place, runs, before, prepare, owed }: Killing) {
  const told = new Set<string>();
  const messes: string[] = [];
  let [clean, effect, survivor] = [0, 1 - STRIDE, ''];
  for (let isKilled = true; isKilled && effect < MANY; ) {
    effect += STRIDE;
    runs.forget();
    const earlier = await prepare();
    const tick = await runs.tick('killed', effect);
    isKilled = tick.killed;
    survivor = tick.outcomes.join();
    const ends = await owed();
    await using scene = sceneAt(place, { stateFile: runs.stateFile });
    const cleaned: CleanedUp = await scene.cleanUp(before);
    clean = Math.max(clean, cleaned.clean);
    messes.push(...cleaned.messes.map((mess) => `after effect ${effect}: ${mess}`));
    const words = [...earlier, ...tick.told, ...scene.told()];
    // Whatever it had begun when it died, somebody hears of its end.
    if (ends.length > 0) {
      const seen = JSON.stringify({ words, outcomes: tick.outcomes, isKilled, ...cleaned });
      expect(words, `after effect ${effect}: ${seen}`).toContainEqual(expect.toBeOneOf([...ends]));
    }
    for (const word of words) told.add(word);
  }
  expect(effect, `effects of the tick that lived: ${survivor}`).toBeGreaterThan(FEW);
  expect(effect).toBeLessThan(MANY);
  return { outcome: 'killed', clean, messes, told: [...told] };
}

async function linesOf({ stdout }: ChildProcess): Promise<(readonly string[])[]> {
  let text = '';
  for await (const chunk of stdout ?? []) text += chunk;
  return text.split('\n').map((line) => {
    const [, kind = '', words = ''] = /^(\w+) (.*)$/.exec(line) ?? [];
    return [kind, words];
  });
}
