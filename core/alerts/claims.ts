import type { LimitFunction } from 'p-limit';
import { type Milliseconds, SECOND } from '../config/units.ts';
import type { Ports } from '../ports/ports.ts';
import type { PublishReport } from '../ports/sinks.ts';
import { alertsOf, NOTHING_SENT, notSent } from './messages.ts';
import { claim, type Pending } from './outbox-entries.ts';

/** For this long entries are claimed for one message: well below the time for which a claim lasts. */
const CLAIMING: Milliseconds = 30 * SECOND;

export type OutboxPorts = Pick<Ports, 'store' | 'alerts' | 'clock' | 'log'>;

export interface Run extends OutboxPorts {
  readonly holder: string;
  readonly hasTime: () => boolean;
  readonly limit: LimitFunction;
}

/** The claimed entries; and, as a report, those that cannot be claimed and so are not sent. */
export async function claimAll(
  { store, clock, holder, hasTime, limit }: Run,
  group: readonly Pending[],
  digest: string | undefined,
): Promise<{ readonly claimed: readonly Pending[]; readonly unclaimed: PublishReport }> {
  const elapsed = () => clock.elapsed?.() ?? clock.now();
  const begunAt = elapsed();
  const isInTime = () => hasTime() && elapsed() - begunAt < CLAIMING;
  const take = (one: Pending) =>
    isInTime() ? claim(store, one, { holder, now: clock.now(), digest }) : 'no time is left for it';
  // Without a claim, every tick would send them again until the store accepts writes.
  const left = (those: readonly Pending[], why: string) =>
    notSent(alertsOf(those), `it cannot be claimed in the outbox: ${why}`);
  const [leader, ...others] = group.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  if (!leader) return { claimed: [], unclaimed: NOTHING_SENT };
  // First a single one: of two jobs with the same events, one then sends them all, in one message.
  const first = await take(leader);
  if (typeof first === 'string') return { claimed: [], unclaimed: left(group, first) };
  if (!first) return { claimed: [], unclaimed: NOTHING_SENT };
  const tries = await limit.map(others, async (one) => ({ one, taken: await take(one) }));
  const failed = tries.flatMap(({ one, taken }) => (typeof taken === 'string' ? [{ one, why: taken }] : []));
  return {
    claimed: [first, ...tries.flatMap(({ taken }) => (typeof taken === 'object' ? [taken] : []))],
    unclaimed: left(
      failed.map(({ one }) => one),
      failed[0]?.why ?? '',
    ),
  };
}
