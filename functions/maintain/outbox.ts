import * as z from 'zod/mini';
import { HOUR, MINUTE, type Milliseconds } from '../shared/config/units.ts';
import { ALERT_SCHEMA, type Alert, type AlertEvent } from '../shared/contracts/alert.ts';
import { combined, type PublishReport } from '../shared/contracts/sinks.ts';
import { type StateStore, StateUnavailable, type Stored } from '../shared/state/store.ts';
import { understood } from './document.ts';
import type { Ports } from './ports.ts';

/**
 * What is owed to people, kept where the lease is kept: an action is entrusted to the outbox before the lease that explains it is
 * dropped, so that a job that dies between doing and telling is told by the next one, under the same alert id.
 */
export const OUTBOX = 'outbox#';

/** A topic that nobody repairs in this time has nobody waiting for it either. */
export const OUTBOX_LIFETIME: Milliseconds = 14 * 24 * HOUR;

/** For as long as its writer may still be about to send it, nobody else does. Longer than any lease is busy. */
const HELD: Milliseconds = 2 * MINUTE;
/**
 * A sending whose end nobody has seen may have arrived, or not: it is repeated, once for each job that died there. A job that dies
 * there every time is not what anybody wants to hear of for ever.
 */
const SENDINGS = 5;
/** Sent side by side. */
const WAVE = 4;

type Told = Pick<Ports, 'store' | 'alerts' | 'clock' | 'log'>;

/** By us, and by nobody else's fault. */
const NOTHING_SENT: PublishReport = { sent: 0, rejected: [] };

interface Entry {
  readonly alert: Alert;
  /** Epoch ms. */
  readonly entrustedAt: number;
  readonly holder: string;
  readonly heldUntil: number;
  /** Sendings that were begun, and of which nobody knows whether they have failed. */
  readonly sendings: number;
}

interface Owed {
  readonly key: string;
  readonly entry: Entry;
  readonly version: number;
}

const text = z.string();
const entrySchema = z.object({
  alert: z.looseObject({
    schema: z.literal(ALERT_SCHEMA),
    id: text,
    event: text,
    severity: z.enum(['info', 'warning', 'critical']),
    at: text,
    stage: text,
    instance: text,
    node: text,
    title: text,
    why: text,
    facts: z.array(z.object({ label: text, value: text })),
    next: text,
  }),
  entrustedAt: z.number(),
  holder: text,
  heldUntil: z.number(),
  sendings: z.number(),
});

/**
 * Writes alerts that are not there yet. Returns those that could not be kept; whoever acts goes on all the same: the lease is
 * still there, and tells as well.
 */
export async function entrust(
  { store, clock, log }: Pick<Told, 'store' | 'clock' | 'log'>,
  holder: string,
  alerts: readonly Alert[],
): Promise<readonly Alert[]> {
  const unkept = await Promise.all(
    alerts.map(async (alert) => {
      const now = clock.now();
      const entry: Entry = { alert, entrustedAt: now, holder, heldUntil: now + HELD, sendings: 0 };
      const write = () => failure(store.write(OUTBOX + alert.id, entry, undefined));
      // Once more: what is not kept may be told twice, and an answer that was lost shows as kept.
      const why = (await write()) === undefined ? undefined : await write();
      if (why === undefined) return [];
      log.warn('alert not kept in the outbox', { id: alert.id, error: why });
      return [alert];
    }),
  );
  return unkept.flat();
}

/** Whether the end of an action on a node has been entrusted since an instant (epoch ms). */
export async function isEntrusted(store: StateStore, place: readonly string[], since: number): Promise<boolean> {
  const entries = await store.list(`${OUTBOX}${place.join('/')}/`);
  return [...entries].some(([key, stored]) => isEndSince(entryOf(key, stored), since));
}

/**
 * Tells what this tick owes, and what an earlier job has left. An alert that is not delivered stays for the next tick, and is named in
 * the report.
 */
export async function deliver(ports: Told, holder: string, alerts: readonly Alert[]): Promise<PublishReport> {
  const unkept = await entrust(ports, holder, alerts);
  // A store that takes nothing has nothing to say either, and each question may cost its time-out.
  const isDown = alerts.length > 0 && unkept.length === alerts.length;
  const kept = isDown ? [] : await owed(ports, holder);
  const jobs = [
    ...kept.map((one) => ({ alert: one.entry.alert, run: () => deliverSafely(ports, holder, one) })),
    ...unkept.map((alert) => ({ alert, run: () => ports.alerts.send([alert]) })),
  ];
  const reports: PublishReport[] = [];
  for (let at = 0; at < jobs.length; at += WAVE) {
    const wave = await Promise.all(jobs.slice(at, at + WAVE).map(({ run }) => run()));
    reports.push(...wave);
    if (wave.some(({ rejected }) => rejected.length === 0)) continue;
    // A topic that takes none of them would cost each of the others its time-outs, too.
    reports.push(
      ...jobs.slice(at + WAVE).map(({ alert }) => untold(alert, 'not tried: the topic took none of those before it')),
    );
    break;
  }
  return combined(reports);
}

function untold({ title }: Alert, why: string): PublishReport {
  return { sent: 0, rejected: [{ what: title, why }] };
}

/** Oldest first; what another job may still be sending is left to it, and all of it where it would not be told to those it is owed to. */
async function owed({ store, clock, log, alerts }: Told, holder: string): Promise<readonly Owed[]> {
  try {
    const now = clock.now();
    const entries = [...(await store.list(OUTBOX))].flatMap(([key, stored]) => {
      try {
        return [{ key, entry: entryOf(key, stored), version: stored.version }];
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

/** An entry that cannot even be tried must not keep those behind it from being sent, now and in every tick to come. */
async function deliverSafely(ports: Told, holder: string, one: Owed): Promise<PublishReport> {
  try {
    return await deliverOne(ports, holder, one);
  } catch (error) {
    ports.log.error('unexpected failure to send an alert', { id: one.entry.alert.id, error });
    return untold(one.entry.alert, error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
}

/** Claims, sends, removes: of two jobs one sends it, and of one that dies in between the next knows that it may have been sent. */
async function deliverOne(ports: Told, holder: string, { key, entry, version }: Owed): Promise<PublishReport> {
  const { store, clock, log, alerts } = ports;
  if (entry.sendings >= SENDINGS) {
    log.error('alert given up: the job died each time while it was sent', { id: entry.alert.id });
    await failure(store.remove(key, version));
    return NOTHING_SENT;
  }
  const heldUntil = clock.now() + HELD;
  const claim = await outcome(store.write(key, { ...entry, holder, heldUntil, sendings: entry.sendings + 1 }, version));
  // Sent without a claim it would be sent again by every tick until the store takes writes.
  if (typeof claim === 'string') return untold(entry.alert, `not tried: it cannot be claimed in the outbox: ${claim}`);
  if (!claim.stored) return NOTHING_SENT;
  const report = await alerts.send([entry.alert]);
  const isSent = report.rejected.length === 0;
  const done = isSent ? store.remove(key, claim.version) : store.write(key, { ...entry, heldUntil: 0 }, claim.version);
  const why = await failure(done);
  if (why !== undefined) log.warn('outbox not updated', { id: entry.alert.id, error: why });
  return report;
}

function entryOf(key: string, { value }: Stored): Entry {
  return understood(entrySchema, key, value) as Entry;
}

/** What tells the end of a purge, or of the defrag that it belongs to. */
const ENDS: readonly AlertEvent[] = ['purged', 'cure-ineffective', 'defrag-finished', 'defrag-aborted'];

function isEndSince({ alert, entrustedAt }: Entry, since: number): boolean {
  const isFailedPurge = alert.event === 'action-failed' && alert.id.includes('/action-failed/purge/');
  return entrustedAt >= since && (isFailedPurge || ENDS.includes(alert.event));
}

async function failure(attempt: Promise<unknown>): Promise<string | undefined> {
  const result = await outcome(attempt);
  return typeof result === 'string' ? result : undefined;
}

async function outcome<T>(attempt: Promise<T>): Promise<T | string> {
  try {
    return await attempt;
  } catch (error) {
    // What no store can hold is told without it: nothing of ours may stand in the way of what was begun.
    if (error instanceof StateUnavailable || error instanceof TypeError) return error.message;
    throw error;
  }
}
