import type { Observation } from '../domain/observation.ts';
import type { Answer, Outage, Unseen } from '../domain/stage.ts';
import { outageOf } from '../guards/stage-limits.ts';
import { type HeldLease, isQuarantined } from '../leases/lease-store.ts';

/** What a check of a node came to, as far as the stage's limits need it. */
export type Look = { readonly node: { readonly id: string } } & (
  | { readonly observation: Observation }
  | { readonly problem: { readonly kind: string } }
);

export function answersIn(looks: readonly Look[]): readonly Answer[] {
  return looks.flatMap((look): Answer[] => {
    const { runId, at } = 'observation' in look ? look.observation : {};
    return runId !== undefined && at !== undefined ? [{ runId, at }] : [];
  });
}

/** What this tick's checks say of the servers with an Offpeak lease. A node that is not of this tick says nothing. */
export function outagesSeen(
  placements: ReadonlyMap<string, HeldLease>,
  looks: readonly Look[],
  now: number,
): readonly Outage[] {
  return [...placements].flatMap(([node, held]) => {
    const look = looks.find((one) => one.node.id === node);
    if (look === undefined || isQuarantined(held)) return [];
    return outageOf(held.lease, seenIn(look), now) ?? [];
  });
}

export function seenIn(look: Look): Observation | Unseen {
  return 'observation' in look ? look.observation : howUnseen(look.problem);
}

/** A check that failed, however it did, does not show that the process under defrag is still there: another one may refuse the job now. */
export function howUnseen({ kind }: { readonly kind: string }): Unseen {
  return kind === 'unreachable' || kind === 'timeout' ? 'vanished' : 'unchecked';
}
