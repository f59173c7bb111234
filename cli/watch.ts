import type { Config } from '../core/config/schema.ts';
import type { Milliseconds } from '../core/config/units.ts';
import type { Ports } from '../core/ports/ports.ts';
import type { NodeName, Tick, TickOptions } from '../core/reconcile/scope.ts';
import { tick } from '../core/reconcile/tick.ts';

/** Tick after tick, as a schedule would run them. */
interface Watch {
  readonly every: Milliseconds;
  /** `once`; `idle`: until nothing is under way and nothing is left to do; `interrupted`: until Ctrl-C. */
  readonly until: 'once' | 'idle' | 'interrupted';
  readonly signal: AbortSignal;
}

/**
 * Yields each tick. When interrupted while a defrag of Offpeak's is on, a last tick ends it and restores its settings, also one that another
 * job has started and left. A deployed job may start it again at its next tick.
 */
export async function* ticks(config: Config, ports: Ports, options: TickOptions, watch: Watch): AsyncGenerator<Tick> {
  const { signal, until, every } = watch;
  const running = { ...options, interrupted: () => signal.aborted };
  let leased: readonly NodeName[] = [];
  do {
    const latest = await tick(config, ports, running);
    leased = stillLeased(leased, latest);
    yield latest;
    if (until === 'once' || (until === 'idle' && latest.idle && leased.length === 0)) break;
    if (!signal.aborted) await ports.clock.pause(every);
  } while (!signal.aborted);
  if (signal.aborted && leased.length > 0) {
    yield await tick(config, ports, {
      ...options,
      scope: { kind: 'leased-nodes', nodes: leased },
      release: 'interrupted',
    });
  }
}

/** A tick that could not read the state does not know of leases: those before it still stand. */
function stillLeased(before: readonly NodeName[], { problem, leased }: Tick): readonly NodeName[] {
  return problem === undefined ? leased : before;
}
