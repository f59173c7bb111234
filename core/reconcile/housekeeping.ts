import type { Config } from '../config/schema.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { HeldLease } from '../leases/lease-store.ts';
import type { Ports } from '../ports/ports.ts';
import { unlessUnavailable } from '../ports/state-store.ts';
import { dropExpired, noteNodes } from '../state/pauses.ts';
import type { Run } from './assign.ts';
import { dropUnstarted, orphanedLeases } from './displaced-leases.ts';
import { followServers } from './follow-histories.ts';
import { runsOf } from './lease-placement.ts';
import { problemOf, type ReachedNode, type UnreachedNode } from './observe-fleet.ts';
import type { TickOptions } from './scope.ts';
import type { Snapshot } from './snapshot.ts';
import { dropAbandoned } from './troubles.ts';

interface Seen {
  /** When the tick began (epoch ms). */
  readonly at: number;
  readonly placements: ReadonlyMap<string, HeldLease>;
  readonly observed: readonly (ReachedNode | UnreachedNode)[];
  /** Every discovery has said which nodes there are now. */
  readonly isComplete: boolean;
}

/**
 * The job's own bookkeeping in a tick. What fails here is logged at once and fails the run in the end: what was seen is published all the
 * same.
 */
export function housekeeping(ports: Ports, { mode, scope, part }: TickOptions) {
  const { store, log } = ports;
  const troubles: string[] = [];
  const keep = keeper(log, troubles);
  return {
    troubles,
    keep,

    /** Histories follow their servers to other addresses. */
    async followServers(snapshot: Snapshot, observed: Seen['observed']): Promise<Snapshot> {
      if (snapshot.kind === 'unavailable') return snapshot;
      // A tick of some nodes sees a part of the servers only: it cannot know where the others are.
      const isKept = mode === 'act' && scope.kind === 'fleet';
      const work = followServers(snapshot, runsOf(observed), ports, { isKept });
      const followed = await keep('histories of servers that have moved', work, snapshot);
      return { kind: 'readable', ...followed };
    },

    /** Stores the outages of servers under Offpeak's defrag. What cannot be stored is found again while the lease stands. */
    async recordOutages({ snapshot, claims }: Run): Promise<void> {
      if (mode !== 'act' || snapshot.kind === 'unavailable') return;
      const work = unlessUnavailable(claims.note([]), (error) => log.warn('outages not recorded', { error }));
      await keep('outages of servers', work, undefined);
    },

    /** Drops what is over, and returns the leases on nodes that the config no longer names. */
    async tidy(config: Config, run: Omit<Run, 'claims'>, seen: Seen): Promise<readonly Outcome[]> {
      const { at, placements, observed, isComplete } = seen;
      const { snapshot } = run;
      if (snapshot.kind === 'unavailable') return [];
      const { pauses } = snapshot;
      if (mode === 'act')
        await keep('starts that have never come', dropUnstarted(ports, snapshot, placements, observed), undefined);
      if (part?.kind === 'batch') return [];
      if (mode === 'act') {
        await keep('expired pauses', dropExpired(store, pauses, at, log), undefined);
        await keep('nodes of pauses', noteNodes(store, pauses, config.instances, log), undefined);
        const abandoned = unlessUnavailable(dropAbandoned(config, run, isComplete), (error) =>
          log.warn('troubles of nodes that the config no longer names not ended', { error }),
        );
        await keep('troubles of nodes that the config no longer names', abandoned, undefined);
      }
      // A dispatch sees no server: a worker may have found that of a lease under another address, and follows it.
      const lost = part ? unfollowed(placements, at - 2 * config.schedule.every) : placements;
      const orphans = orphanedLeases(config, { state: snapshot, placements: lost }, ports, mode);
      return await keep('leases on nodes that the config no longer names', orphans, []);
    },
  };
}

function keeper(log: Ports['log'], troubles: string[]) {
  return async <T>(what: string, work: Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      log.error('unexpected failure of the bookkeeping', { what, error });
      troubles.push(`${what}: ${problemOf(error).message}`);
      return otherwise;
    }
  };
}

/** Leases on which no job has worked since an instant (epoch ms). */
function unfollowed(placements: Seen['placements'], since: number): Seen['placements'] {
  return new Map([...placements].filter(([, { lease }]) => lease.progress.at < since));
}
