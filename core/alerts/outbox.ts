import pLimit, { type LimitFunction } from 'p-limit';
import { type Milliseconds, SECOND } from '../config/units.ts';
import type { Alert } from '../domain/alert.ts';
import type { Ports } from '../ports/ports.ts';
import { combined, type PublishReport } from '../ports/sinks.ts';
import { StateUnavailable } from '../ports/state-store.ts';
import { OUTBOX } from '../state/keys.ts';
import { MOST_AT_ONCE, messagesOf } from './digest.ts';
import { alertsOf, digested, digestId, looseAlerts, NOTHING_SENT, untold } from './messages.ts';
import { claim, failure, keep, type Owed, owedOf, settle } from './outbox-entries.ts';

/**
 * What is owed to people, kept where the lease is kept: an action is entrusted to the outbox before the lease that explains it is
 * dropped, so that a job that dies between doing and telling is told by the next one, under the same alert id. What happened to many
 * nodes is owed for each of them, and told in one message.
 */
export { OUTBOX };

/**
 * A sending whose end nobody has seen may have arrived, or not: it is repeated, once for each job that died there. A job that dies
 * there every time is not what anybody wants to hear of for ever.
 */
const SENDINGS = 5;

/** Sent side by side. */
const WAVE = 4;

/** Writes side by side: as many as the client has sockets for, with some left for the leases. */
const WRITES = 32;

/** For so long entries are taken for one message: well below the time for which they are held. */
const CLAIMING: Milliseconds = 30 * SECOND;

type Told = Pick<Ports, 'store' | 'alerts' | 'clock' | 'log'>;

const always = () => true;

/**
 * Writes alerts that are not there yet, as long as there is time. Returns those that could not be kept; whoever acts goes on all the
 * same: the lease is still there, and tells as well.
 */
export async function enqueue(
  { store, clock, log }: Pick<Told, 'store' | 'clock' | 'log'>,
  holder: string,
  alerts: readonly Alert[],
  hasTime = always,
): Promise<readonly Alert[]> {
  const tries = await pLimit(WRITES).map(alerts, async (alert) => {
    if (!hasTime()) return { alert, why: 'no time is left for it' };
    const write = () => keep(store, holder, alert, clock.now());
    // Once more: what is not kept may be told twice, and an answer that was lost shows as kept.
    const why = (await write()) === undefined ? undefined : await write();
    return { alert, why };
  });
  const unkept = tries.filter(({ why }) => why !== undefined);
  const [first] = unkept;
  if (first) log.warn('alert not kept in the outbox', { id: first.alert.id, error: first.why, alerts: unkept.length });
  return unkept.map(({ alert }) => alert);
}

/** What becomes one message. */
interface Message {
  readonly alerts: readonly Alert[];
  send(): Promise<PublishReport>;
}

/**
 * Tells what this tick owes, and what an earlier job has left: up to a thousand events in at most ten messages. The oldest go first,
 * more wait for the next tick. What is not delivered stays for the next tick, and is named in the report.
 *
 * @param hasTime false: nothing more is begun
 */
export async function deliver(
  ports: Told,
  holder: string,
  alerts: readonly Alert[],
  hasTime = always,
): Promise<PublishReport> {
  const unkept = await enqueue(ports, holder, alerts, hasTime);
  // A store that takes nothing has nothing to say either, and each question may cost its time-out.
  const isDown = alerts.length > 0 && unkept.length === alerts.length;
  const kept = isDown ? [] : await owed(ports, holder);
  if (kept.length > MOST_AT_ONCE) {
    ports.log.warn('more alerts than are told at once: the next tick goes on', {
      alerts: kept.length,
      now: MOST_AT_ONCE,
    });
  }
  const run: Run = { ...ports, holder, hasTime, limit: pLimit(WRITES) };
  const messages = [
    ...keptMessages(run, kept.slice(0, MOST_AT_ONCE)),
    ...looseAlerts(unkept, ports.log).map((alert) => ({ alerts: [alert], send: () => ports.alerts.send([alert]) })),
  ];
  const reports: PublishReport[] = [];
  for (let at = 0; at < messages.length; at += WAVE) {
    const wave = await Promise.all(messages.slice(at, at + WAVE).map((message) => sendSafely(ports, message)));
    reports.push(...wave);
    if (wave.some(({ rejected }) => rejected.length === 0)) continue;
    // A topic that takes none of them would cost each of the others its time-outs, too.
    reports.push(
      ...messages.slice(at + WAVE).map((one) => untold(one.alerts, 'the topic took none of those before it')),
    );
    break;
  }
  return combined(reports);
}

/** Oldest first; what another job may still be sending is left to it, and all of it where it would not be told to those it is owed to. */
async function owed({ store, clock, log, alerts }: Told, holder: string): Promise<readonly Owed[]> {
  try {
    const now = clock.now();
    const entries = [...(await store.list(OUTBOX))].flatMap(([key, stored]) => {
      try {
        return [owedOf(key, stored)];
      } catch (error) {
        if (!(error instanceof StateUnavailable)) throw error;
        log.warn('alert in the outbox not understood', { error: error.message });
        return [];
      }
    });
    return entries
      .filter(({ entry }) => entry.holder === holder || (entry.heldUntil <= now && !alerts.isPrivate))
      .toSorted((a, b) => a.entry.entrustedAt - b.entry.entrustedAt);
  } catch (error) {
    if (!(error instanceof StateUnavailable)) throw error;
    log.warn('outbox not read', { error: error.message });
    return [];
  }
}

/** A message that cannot even be tried must not keep those behind it from being sent, now and in every tick to come. */
async function sendSafely({ log }: Told, { alerts, send }: Message): Promise<PublishReport> {
  try {
    return await send();
  } catch (error) {
    log.error('unexpected failure to send an alert', { ids: alerts.map(({ id }) => id), error });
    return untold(alerts, error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
}

interface Run extends Told {
  readonly holder: string;
  readonly hasTime: () => boolean;
  readonly limit: LimitFunction;
}

/** What was being sent in a digest when its job died is sent in the same one, under the same id; everything else is divided anew. */
function keptMessages(run: Run, kept: readonly Owed[]): readonly Message[] {
  const repeats = Map.groupBy(
    kept.filter(({ entry }) => entry.digest !== undefined),
    ({ entry }) => entry.digest,
  );
  const fresh = messagesOf(kept.filter(({ entry }) => entry.digest === undefined));
  return [
    ...[...repeats].map(([digest, group]) => ({ group, digest })),
    // With the holder in it: two jobs at once may each claim a part of the same events.
    ...fresh.map((group) => ({ group, digest: group.length === 1 ? undefined : digestId(group, run.holder) })),
  ].map(({ group, digest }) => ({ alerts: alertsOf(group), send: () => tell(run, group, digest) }));
}

/** Claims, sends, removes: of two jobs one sends it, and of one that dies in between the next knows that it may have been sent. */
async function tell(run: Run, group: readonly Owed[], digest: string | undefined): Promise<PublishReport> {
  const { store, log, limit } = run;
  const spent = group.filter(({ entry }) => entry.sendings >= SENDINGS);
  for (const { key, alert, version } of spent) {
    log.error('alert given up: the job died each time while it was sent', { id: alert.id });
    await failure(store.remove(key, version));
  }
  const { claimed, unclaimed } = await claimAll(
    run,
    group.filter((one) => !spent.includes(one)),
    digest,
  );
  const [first, ...more] = claimed;
  if (!first) return unclaimed;
  const alert = digest === undefined ? first.alert : digested([first.alert, ...alertsOf(more)], digest, log);
  const report = await run.alerts.send([alert]);
  const isSent = report.rejected.length === 0;
  const unsettled = (await limit.map(claimed, (one) => settle(store, one, isSent))).filter((why) => why !== undefined);
  if (unsettled.length > 0)
    log.warn('outbox not updated', { id: alert.id, error: unsettled[0], alerts: unsettled.length });
  return combined([report, unclaimed]);
}

/** Those that are ours now; and, as a report, those that cannot be claimed and so are not sent. */
async function claimAll(
  { store, clock, holder, hasTime, limit }: Run,
  group: readonly Owed[],
  digest: string | undefined,
): Promise<{ readonly claimed: readonly Owed[]; readonly unclaimed: PublishReport }> {
  const elapsed = () => clock.elapsed?.() ?? clock.now();
  const begunAt = elapsed();
  const isInTime = () => hasTime() && elapsed() - begunAt < CLAIMING;
  const take = (one: Owed) =>
    isInTime() ? claim(store, one, { holder, now: clock.now(), digest }) : 'no time is left for it';
  // Sent without a claim they would be sent again by every tick until the store takes writes.
  const left = (those: readonly Owed[], why: string) =>
    untold(alertsOf(those), `it cannot be claimed in the outbox: ${why}`);
  const [leader, ...others] = group.toSorted((a, b) => (a.key < b.key ? -1 : 1));
  if (!leader) return { claimed: [], unclaimed: NOTHING_SENT };
  // First one of them alone: of two jobs that see the same events, one tells them all, in one message.
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
