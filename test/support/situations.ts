import { MIB, MINUTE } from '../../core/config/units.ts';
import { diagnose } from '../../core/diagnosis/diagnose.ts';
import { EMPTY_HISTORY } from '../../core/domain/node-history.ts';
import type { MemorySample, Observation } from '../../core/domain/observation.ts';
import type { Facts } from '../../core/domain/plan.ts';
import { anInstance, anObservation, aTidyMemorySample, NOW } from './builders.ts';

export const OPEN = { open: true, opensAt: NOW - 14 * MINUTE, closesAt: NOW + 166 * MINUTE } as const;
export const CLOSED = { open: false, nextOpening: NOW + 300 * MINUTE } as const;

/**
 * The builders' fragmented server inside its window, with nothing against acting. The diagnosis is what `diagnose` says of
 * the observation that is given, unless it is given as well.
 */
export function aSituation(over: Partial<Facts> = {}): Facts {
  const { observation = anObservation(), policy = anInstance(), memory = EMPTY_HISTORY } = over;
  return {
    now: NOW,
    observation,
    diagnosis: diagnose(observation, policy, memory.learned, memory),
    policy,
    window: OPEN,
    memory,
    remaining: 10 * MINUTE,
    ...over,
  };
}

/** Nothing to cure. */
export function aTidyObservation(over: Partial<Omit<Observation, 'memory'>> = {}): Observation {
  return anObservation({ ...over, memory: aTidyMemorySample() });
}

/** No holes, but this many bytes of free pages, of which 19 MiB or so never leave. */
export function aRetainingObservation(
  retained = 200 * MIB,
  over: Partial<Omit<Observation, 'memory'>> = {},
): Observation {
  const memory: Partial<MemorySample> = aTidyMemorySample({
    allocatorActive: 457 * MIB,
    allocatorResident: 457 * MIB + retained,
    usedMemoryRss: 472 * MIB + retained,
  });
  return anObservation({ ...over, memory });
}
