import type { Config } from '../config/schema.ts';
import { type Milliseconds, SECOND } from '../config/units.ts';
import { latestIn, type Outcome } from '../domain/outcome.ts';
import { present } from '../domain/present.ts';
import type { Counters } from '../domain/report.ts';
import type { Ports } from '../ports/ports.ts';
import { readCounters, writeCounters } from '../state/counters.ts';
import { problemOf } from './observe-fleet.ts';
import type { TickOptions } from './scope.ts';
import type { Snapshot } from './snapshot.ts';

/** The counters of the tick before, and what keeps those of this one. */
interface CounterExchange {
  readonly counters: ReadonlyMap<string, Counters>;
  keep(outcomes: readonly Outcome[]): Promise<void>;
}

/** Of `Run`. */
interface TickParts {
  readonly ports: Pick<Ports, 'store' | 'log'>;
  readonly snapshot: Pick<Snapshot, 'kind'>;
  readonly options: Pick<TickOptions, 'mode' | 'scope' | 'remaining'>;
}

/** A table that hangs takes ten seconds, twice; metrics and alerts need the rest. */
const ENOUGH: Milliseconds = 40 * SECOND;

const NOTHING: CounterExchange = { counters: new Map(), keep: async () => {} };

/**
 * Rates at every tick need the counters of the tick before, which may have been another process. Only nodes with `metrics: detailed` have
 * such metrics: without any, the store is not asked. Without the store there are no rates, and everything else is published.
 */
export async function exchangeCounters(
  { instances }: Pick<Config, 'instances'>,
  { ports, snapshot, options }: TickParts,
): Promise<CounterExchange> {
  const detailed = instances.flatMap(({ nodes, metrics }) =>
    metrics === 'detailed' ? nodes.map((node) => node.id) : [],
  );
  if (detailed.length === 0 || options.mode !== 'act' || snapshot.kind === 'unavailable') return NOTHING;
  if (options.remaining() < ENOUGH) return NOTHING;
  const unlessDown = async <T>(work: Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      // Also a bug: what was seen is published all the same.
      const { message, expected } = problemOf(error);
      ports.log[expected ? 'warn' : 'error']('counters for rates not read or stored', { error: message });
      return otherwise;
    }
  };
  const stored = await unlessDown(readCounters(ports.store, detailed), undefined);
  if (stored === undefined) return NOTHING;
  return {
    counters: stored.byNode,
    async keep(outcomes) {
      // While a defrag is followed there is a tick every few seconds: their rates are since the last tick of all nodes.
      if (options.scope.kind !== 'fleet') return;
      const seen = new Map(outcomes.flatMap(countersIn));
      await unlessDown(writeCounters(ports.store, stored, seen), undefined);
    },
  };
}

function countersIn(outcome: Outcome): readonly (readonly [node: string, counters: Counters])[] {
  const observation = latestIn(outcome)?.observation;
  if (observation === undefined) return [];
  const { at, runId, activity } = observation;
  const { totalCommandsProcessed: commands, cpuSeconds } = activity;
  return [[outcome.node, { at, ...present({ runId, commands, cpuSeconds }) }]];
}
