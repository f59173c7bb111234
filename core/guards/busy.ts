import type { InstanceConfig } from '../config/schema.ts';
import type { Percent } from '../config/units.ts';
import { commandsPerSecond, type LoadCounters, mainThreadCpu } from '../diagnosis/load.ts';
import type { Busy } from '../domain/blocker.ts';
import type { Observation } from '../domain/observation.ts';

export type LoadLimits = Pick<InstanceConfig, 'maxMainThreadCpu' | 'maxOpsPerSecond'>;

/** The limit where the CPU cannot be measured and the config has none for commands. It was the default before the CPU was measured. */
const OPS_WITHOUT_CPU = 1000;

/**
 * Our own defrag may take more than it is meant to: a cycle looks at its clock only between values, the raised `hz` runs the server's cron
 * more often, moved values are cold in the processor's caches, and before Redis 6.2 the threads that free pages count as well. So others
 * have this much more before they end a run, which has cost something already; a start is judged by the plain limit.
 */
const DEFRAG_MARGIN: Percent = 10;

/** Above this the thread is full. With a large share for our defrag, others cannot show more than what is left. */
const FULL: Percent = 95;

/**
 * Whether others keep the server busy. A command may take a microsecond or a second, so what counts is the time of the thread that all
 * of them wait for; a limit on commands is for those who want one besides.
 */
export function busy(observation: Observation, limits: LoadLimits, earlier: LoadCounters): Busy | undefined {
  const cpu = mainThreadCpu(observation, earlier);
  const commands = overCommands(observation, limits, earlier, cpu);
  if (cpu === undefined && commands === 'unmeasured') return { kind: 'busy' };
  const mainThread = cpu === undefined ? undefined : overCpu(cpu, limits.maxMainThreadCpu, earlier.ownDefrag);
  if (!mainThread && typeof commands !== 'object') return undefined;
  return {
    kind: 'busy',
    ...(mainThread && { mainThread }),
    ...(typeof commands === 'object' && { commands }),
  };
}

function overCpu(cpu: Percent, limit: Percent, ownDefrag: Percent | undefined): Busy['mainThread'] {
  if (ownDefrag === undefined) return cpu > limit ? { cpu, limit } : undefined;
  // At 100 % no share is above the limit: that guard is off, for a run as for a start.
  const bearable = Math.max(limit, Math.min(FULL, limit + ownDefrag + DEFRAG_MARGIN));
  return cpu > bearable ? { cpu, limit, ownDefrag } : undefined;
}

function overCommands(
  observation: Observation,
  { maxOpsPerSecond }: LoadLimits,
  earlier: LoadCounters,
  cpu: Percent | undefined,
): Busy['commands'] | 'unmeasured' {
  const standsIn = maxOpsPerSecond === undefined && cpu === undefined && mustKnow(observation, earlier);
  const limit = standsIn ? OPS_WITHOUT_CPU : maxOpsPerSecond;
  if (limit === undefined) return undefined;
  // Counters that were reset in between measure nothing: then the server's own average, ours included, has to do.
  const perSecond = commandsPerSecond(observation, earlier) ?? observation.activity.instantaneousOpsPerSec;
  if (perSecond === undefined) return 'unmeasured';
  return perSecond > limit ? { perSecond, limit, ...(standsIn && { standsIn }) } : undefined;
}

/**
 * A start that cannot be measured is not made. A run is not ended for one look that came too soon after the last, or after that of an older
 * version, which kept no CPU time: the next look measures again. A server that does not report it at all will not, either.
 */
function mustKnow({ activity }: Observation, { ownDefrag }: LoadCounters): boolean {
  return ownDefrag === undefined || activity.cpuSeconds === undefined;
}
