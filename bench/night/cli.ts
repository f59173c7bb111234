import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { leash } from '../../cli/lab/leash.ts';
import { BenchError } from '../support/main.ts';
import { stateFolder } from '../support/offpeak.ts';
import { type CliRun, cliRunOf } from './cli-lines.ts';

const CLI = join(import.meta.dirname, '../../cli/offpeak.ts');
/** Longer than any default lets a run last; without it, an endless run would never end the bench. */
const CAP_MS = 3_600_000;

/** Only the required keys, so that all the rest is the default policy. */
const configOf = (port: number) => `
instances:
  - id: night
    url: redis://127.0.0.1:${port}
    memoryLimit: 8GiB
    timezone: UTC
    windows: [{ days: daily, start: "00:00", duration: 24h }]
`;

/** One night as users have it: the command line in a process of its own, with nothing known of the node. */
export async function runCli(port: number): Promise<CliRun> {
  await using folder = await stateFolder();
  const config = join(folder.path, 'night.yml');
  await writeFile(config, configOf(port));
  const files = ['-c', config, '-s', join(folder.path, 'state.db')];
  const command = [CLI, 'run', '--watch', '--until-idle', '--every', '2s', '--json', ...files];
  const held = leash([process.execPath, ...command]);
  let isCut = false;
  // SIGTERM: it ends its lease first.
  const cap = setTimeout(() => {
    isCut = true;
    void held.release();
  }, CAP_MS);
  try {
    const { stdout, stderr } = held.shell;
    const [said, words] = await Promise.all([stdout, stderr].map((pipe) => text(pipe as Readable)));
    await held.ended;
    if (!said) throw new BenchError(`offpeak run printed nothing: ${words?.trim().slice(-300)}`);
    const run = cliRunOf(said);
    return isCut ? { ...run, ended: `cut off after ${CAP_MS / 1000} s: ${run.ended}` } : run;
  } finally {
    clearTimeout(cap);
    await held.release();
  }
}
