import { z } from 'zod';
import { BenchError } from '../support/main.ts';

/** What the first plan of a run has predicted: bytes, and milliseconds where it says for how long it will run. */
export interface Predicted {
  readonly bytes: number;
  readonly duration?: number;
}

/** What a run of the CLI reports. */
export interface CliRun {
  /** Why each defrag ended, in order; where none ran, what was done, or why nothing. */
  readonly ended: string;
  readonly predicted?: Predicted;
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
