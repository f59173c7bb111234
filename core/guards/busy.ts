import type { InstanceConfig } from '../config/schema.ts';
import type { Percent } from '../config/units.ts';
import { commandsPerSecond, type LoadCounters, mainThreadCpu } from '../diagnosis/load.ts';
import type { Busy } from '../domain/blocker.ts';
import type { Observation } from '../domain/observation.ts';

export type LoadLimits = Pick<InstanceConfig, 'maxMainThreadCpu' | 'maxOpsPerSecond'>;

/** The limit where the CPU cannot be measured and the config has none for commands. It was the default before the CPU was measured. */
const OPS_WITHOUT_CPU = 1000;

/**
 * Offpeak's own defrag may take more than its share: a cycle reads its clock only between values, the raised `hz` runs the server's cron
 * more often, moved values are cold in the processor's caches, and before Redis 6.2 the threads that free pages count as well. So the limit
 * is this much higher during a run, which has cost something already; for a start the plain limit holds.
 */
const DEFRAG_MARGIN: Percent = 10;

/** Above this the thread is full: with a large share for Offpeak's defrag, clients cannot use more than the rest. */
const FULL: Percent = 95;

/**
 * Whether clients keep the server busy. A command may take a microsecond or a second, so the time of the main thread decides, for which all
 * of them wait; a limit on commands is an option.
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
  // With a limit of 100 % this guard is off, for a run and for a start.
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
  // Counters that were reset in between measure nothing: then the server's own average counts, Offpeak's commands included.
  const perSecond = commandsPerSecond(observation, earlier) ?? observation.activity.instantaneousOpsPerSec;
  if (perSecond === undefined) return 'unmeasured';
  return perSecond > limit ? { perSecond, limit, ...(standsIn && { standsIn }) } : undefined;
}

/**
 * Without a measurement nothing starts. A run is not ended because one check came too soon after the last, or after that of an older version
 * of Offpeak, which stored no CPU time: the next check measures again. That does not apply to a server that never reports its CPU time.
 */
function mustKnow({ activity }: Observation, { ownDefrag }: LoadCounters): boolean {
  return ownDefrag === undefined || activity.cpuSeconds === undefined;
}
