import type { NodeFailure } from '../adapters/redis/failure.ts';
import type { Observation } from '../domain/observation.ts';
import type { Answer, Outage } from '../domain/stage.ts';
import { outageOf } from '../guards/stage-limits.ts';
import type { HeldLease } from '../leases/lease-store.ts';
import { isQuarantined } from '../state/keys.ts';

/** What a look at a node came to, as far as the stage's limits need it. */
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

/** What this tick's looks say of the servers that our leases are on. A node that was not looked at says nothing. */
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

/** It does not answer at all. Who refuses us, or speaks to us, is there. */
export function isSilence({ kind }: Pick<NodeFailure, 'kind'> | { readonly kind: string }): boolean {
  return kind === 'unreachable' || kind === 'timeout';
}
