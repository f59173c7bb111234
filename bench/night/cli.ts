import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { leash } from '../../cli/lab/leash.ts';
import { BenchError } from '../support/main.ts';
import { stateFolder } from '../support/offpeak.ts';

/** What a run of the CLI reports. */
export interface CliRun {
  /** Why each defrag ended, in order; where none ran, what was done, or why nothing. */
  readonly ended: string;
  /** By its first plan: bytes, and milliseconds where it says for how long it will run. */
  readonly predicted?: { readonly bytes: number; readonly duration?: number };
}

/** The part of `run --json` that the bench reads: the rest may change. */
const PLAN = z.object({
  kind: z.string(),
  reason: z.string().optional(),
  action: z.object({ kind: z.string(), because: z.string().optional() }).optional(),
  predicted: z.object({ reclaim: z.number(), duration: z.number().optional().catch(undefined) }).optional(),
});
const OUTCOME = z.object({
  status: z.string(),
  plan: PLAN.optional(),
  problem: z.object({ kind: z.string() }).optional(),
});
const TICK = z.object({ outcomes: z.array(OUTCOME) });

type Outcome = z.infer<typeof OUTCOME>;

/** @throws BenchError for a line that is not a tick */
export function cliRunOf(stdout: string): CliRun {
  const lines = stdout.split('\n').filter((line) => line.trim() !== '');
  const outcomes = lines.flatMap((line) => tickOf(line).outcomes);
  const plan = outcomes.find(({ plan }) => plan?.predicted && plan.kind === 'act')?.plan;
  const { predicted } = plan ?? outcomes.find(({ plan }) => plan?.predicted)?.plan ?? {};
  return {
    ended: endOf(outcomes),
    ...(predicted && {
      predicted: {
        bytes: predicted.reclaim,
        ...(predicted.duration !== undefined && { duration: predicted.duration }),
      },
    }),
  };
}

function tickOf(line: string): z.infer<typeof TICK> {
  try {
    return TICK.parse(JSON.parse(line));
  } catch (cause) {
    throw new BenchError(`offpeak run --json printed a line that is not a tick: ${line.slice(0, 200)}`, { cause });
  }
}

function endOf(outcomes: readonly Outcome[]): string {
  const actions = outcomes.flatMap(({ plan }) => (plan?.kind === 'act' && plan.action ? [plan.action] : []));
  const stops = actions.flatMap(({ kind, because }) => (kind === 'stop-defrag' ? [because ?? 'stopped'] : []));
  if (stops.length > 0) return stops.join(', ');
  if (actions.length > 0) return [...new Set(actions.map(({ kind }) => `only ${kind}`))].join(', ');
  const reasons = outcomes.map(({ plan, problem, status }) => plan?.reason ?? problem?.kind ?? status);
  return `not started: ${[...new Set(reasons)].join(', ') || 'no outcome'}`;
}

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
