import type { Observation } from '../domain/observation.ts';
import type { Answer, Outage } from '../domain/stage.ts';
import { outageOf } from '../guards/stage-limits.ts';
import { type HeldLease, isQuarantined } from '../leases/lease-store.ts';
import type { NodeFailure } from '../ports/node-session.ts';

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

/** What this tick's checks say of the servers with an Offpeak lease. A node that was not checked says nothing. */
export function outagesSeen(
  placements: ReadonlyMap<string, HeldLease>,
  looks: readonly Look[],
  now: number,
): readonly Outage[] {
  return [...placements].flatMap(([node, held]) => {
    const look = looks.find((one) => one.node.id === node);
    if (look === undefined || isQuarantined(held)) return [];
    if ('problem' in look && !isSilence(look.problem)) return [];
    return outageOf(held.lease, 'observation' in look ? look.observation : 'silent', now) ?? [];
  });
}

/** It does not answer at all. A server that refuses the job, or answers it, is there. */
export function isSilence({ kind }: Pick<NodeFailure, 'kind'> | { readonly kind: string }): boolean {
  return kind === 'unreachable' || kind === 'timeout';
}
