import type { Alert } from '../../core/domain/alert.ts';
import { reportOf } from '../unit/core/actions/defrag/steps.ts';
import { ROWS, type Row } from '../unit/core/reporting/alert-rows.ts';
import { anInstance } from './builders.ts';

/** A store that is down is one event already, however many nodes have met it. */
export const KINDS: readonly Row[] = ROWS.filter(
  ([, outcomes, event]) => event !== 'state-unavailable' && outcomes.length > 0,
);

const PER_INSTANCE = 3;

/** `app-017 app-017-2.redis.example:6379`: the place of the n-th of many nodes. */
export function placeOf(n: number): { readonly instance: string; readonly node: string } {
  const instance = `app-${String(Math.floor(n / PER_INSTANCE)).padStart(3, '0')}`;
  return { instance, node: `${instance}-${(n % PER_INSTANCE) + 1}.redis.example:6379` };
}

/** The alerts of one tick in which something happened to each of `count` nodes: of these kinds in turn. By the job's own report. */
export function stormOf(count: number, kinds: readonly Row[] = KINDS): readonly Alert[] {
  const places = Array.from({ length: count }, (_, n) => placeOf(n));
  const outcomes = places.flatMap((place, n) =>
    (kinds[n % kinds.length]?.[1] ?? []).map((one) => ({ ...one, ...place })),
  );
  const ids = new Set(places.map(({ instance }) => instance));
  const { alerts } = reportOf(outcomes, { instances: [...ids].map((id) => anInstance({ id })) });
  if (alerts.length !== count) throw new Error(`${count} alerts expected, ${alerts.length} made`);
  return alerts;
}

/** Those of one kind. */
export function stormOfKind(count: number, name: string): readonly Alert[] {
  return stormOf(
    count,
    KINDS.filter(([kind]) => kind === name),
  );
}
