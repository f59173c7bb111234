import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ScratchFolder, scratchFolder } from '../../cli/lab/leash.ts';
import { stderrLog, terminalPorts } from '../../cli/ports.ts';
import { ticks } from '../../cli/watch.ts';
import { systemClock } from '../../core/adapters/clock.ts';
import { parseConfig } from '../../core/config/parse.ts';
import type { Config } from '../../core/config/schema.ts';
import { HOUR } from '../../core/config/units.ts';
import { type Outcome, planIn, problemIn, stepsOf } from '../../core/domain/outcome.ts';
import { WHOLE_FLEET } from '../../core/reconcile/scope.ts';
import { stateFile } from '../../core/state/open-store.ts';

/** Where runs on one node remember what they have learned. */
export function stateFolder(): Promise<ScratchFolder> {
  return scratchFolder(join(tmpdir(), 'offpeak-bench-'));
}

interface Policy {
  /** Milliseconds. */
  readonly maxStall: number;
  readonly maxBlock?: number;
  /** Which night it is: cooldowns are over by the next one. */
  readonly night?: number;
}

/** The job itself, tick after tick as `offpeak run --until-idle` has them, on one node with an open window. */
export async function runOffpeak(port: number, policy: Policy, folder: string): Promise<readonly Outcome[]> {
  const clock = systemClock({ offset: (policy.night ?? 0) * 24 * HOUR });
  const { ports } = terminalPorts(stateFile(join(folder, 'state.db')), clock, stderrLog({}));
  const options = { mode: 'act', scope: WHOLE_FLEET, holder: 'bench', remaining: () => 3_600_000 } as const;
  const signal = new AbortController().signal;
  const outcomes: Outcome[] = [];
  for await (const tick of ticks(configOf(port, policy), ports, options, { every: 1000, until: 'idle', signal })) {
    outcomes.push(...tick.outcomes);
  }
  return outcomes;
}

function configOf(port: number, { maxStall, maxBlock = 10_000 }: Policy): Config {
  const result = parseConfig(
    `
instances:
  - id: bench
    url: redis://127.0.0.1:${port}
    timezone: UTC
    windows: [{ days: daily, start: "00:00", duration: 24h }]
    maxMainThreadCpu: 100%
    purge: { minReclaim: 16MiB, maxBlock: ${maxBlock}ms, cooldown: 1h }
    defrag: { minReclaim: 16MiB, maxStall: ${maxStall}ms, maxCpu: 25%, cooldown: 1h }
`,
    'bench',
  );
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.config;
}

/** Why nothing was done, or what was: each reason once. */
export function reasonsOf(outcomes: readonly Outcome[]): string {
  const steps = outcomes.flatMap(stepsOf);
  const reasons = steps.map((step) => planIn(step)?.reason ?? problemIn(step)?.kind ?? 'no plan');
  return [...new Set(reasons)].join(', ');
}
