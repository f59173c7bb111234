import pLimit from 'p-limit';
import type { Alert } from '../domain/alert.ts';
import { errorText } from '../format/error-text.ts';
import { combined, type PublishReport } from '../ports/sinks.ts';
import { unlessUnavailable } from '../ports/state-store.ts';
import { readEach } from '../state/codec.ts';
import { OUTBOX } from '../state/keys.ts';
import { claimAll, type OutboxPorts, type Run } from './claims.ts';
import { MOST_AT_ONCE, messagesOf } from './digest.ts';
import { alertsOf, digested, digestId, looseAlerts, nightlyId, notSent } from './messages.ts';
import { divided, isKeptForNight } from './night.ts';
import { failure, keep, type Pending, pendingOf, settle } from './outbox-entries.ts';

/*
 * The outbox: alerts that are still to be sent, stored beside the lease. The alert of an action is queued here before its lease is dropped: if the job
 * dies before it has sent the alert, the next job sends it under the same id. Events of many nodes are queued one by one, and sent in
 * one message.
 */

/**
 * A delivery with an unknown result is repeated, once for each job that died during it. A duplicate is better than a lost alert. After this many
 * deliveries the alert is given up, since the job dies each time.
 */
const SENDINGS = 5;

/** Messages in parallel. */
const WAVE = 4;

/** Writes in parallel: the client has sockets for these, and some more for the leases. */
const WRITES = 32;

const always = () => true;

/**
 * Writes alerts that are not there yet, as long as there is time. Returns those that could not be stored. An action goes on without them: its
 * lease is still there, from which the next tick sends the alert.
 */
export async function enqueue(
  { store, clock, log }: Pick<OutboxPorts, 'store' | 'clock' | 'log'>,
  holder: string,
  alerts: readonly Alert[],
  hasTime = always,
): Promise<readonly Alert[]> {
  const tries = await pLimit(WRITES).map(alerts, async (alert) => {
    if (!hasTime()) return { alert, why: 'no time is left for it' };
    const write = () => keep(store, holder, alert, clock.now());
    // A second try: what is not stored may be sent twice, and after a lost answer it shows as stored.
    const why = (await write()) === undefined ? undefined : await write();
    return { alert, why };
  });
  const notPersisted = tries.filter(({ why }) => why !== undefined);
  const [first] = notPersisted;
  if (first)
    log.warn('alert not stored in the outbox', { id: first.alert.id, error: first.why, alerts: notPersisted.length });
  return notPersisted.map(({ alert }) => alert);
}

/** One message. */
interface Message {
  readonly alerts: readonly Alert[];
  send(): Promise<PublishReport>;
}

interface FlushOptions {
  /** False: no further message is begun. */
  readonly hasTime?: () => boolean;
  /** For a sink with a nightly digest: whether the windows of the night are over. */
  readonly isNightOver?: () => boolean;
}

/**
 * Sends the alerts of this tick, and those that an earlier job has left: up to a thousand events in at most ten messages, and those of a
 * night that is over in one more. The oldest come first; the rest waits for the next tick. The report names what was not delivered, which
 * also waits for the next tick.
 */
export async function flush(
  ports: OutboxPorts,
  holder: string,
  alerts: readonly Alert[],
  { hasTime = always, isNightOver = always }: FlushOptions = {},
): Promise<PublishReport> {
  const notPersisted = await enqueue(ports, holder, alerts, hasTime);
  // If no write succeeded, reading would fail as well, and cost its time-outs.
  const isDown = alerts.length > 0 && notPersisted.length === alerts.length;
  const night = ports.alerts.hasNightlyDigest ? { now: ports.clock.now(), isOver: isNightOver } : undefined;
  const kept = divided(isDown ? [] : await pending(ports, holder), night);
  if (kept.due.length > MOST_AT_ONCE) {
    ports.log.warn('more alerts than are sent at once: the next tick continues', {
      alerts: kept.due.length,
      now: MOST_AT_ONCE,
    });
  }
  const run: Run = { ...ports, holder, hasTime, limit: pLimit(WRITES) };
  await run.limit.map(kept.spent, ({ key, version }) => failure(run.store.remove(key, version)));
  const messages = [
    ...keptMessages(run, kept.due.slice(0, MOST_AT_ONCE)),
    ...nightlyMessages(run, kept.night),
    ...looseAlerts(notPersisted, ports.log).map((alert) => ({
      alerts: [alert],
      send: () => ports.alerts.send([alert]),
    })),
  ];
  const reports: PublishReport[] = [];
  for (let at = 0; at < messages.length; at += WAVE) {
    const wave = await Promise.all(messages.slice(at, at + WAVE).map((message) => sendSafely(ports, message)));
    reports.push(...wave);
    if (wave.some(({ rejected }) => rejected.length === 0)) continue;
    // If the topic accepts none of them, each of the others would only cost its time-outs.
    reports.push(
      ...messages
        .slice(at + WAVE)
        .map((one) => notSent(one.alerts, 'the topic accepted none of the messages before it')),
    );
    break;
  }
  return combined(reports);
}

/** Oldest first, without alerts that another job may still be sending; only this job's own where the sink does not reach the subscribers. */
async function pending({ store, clock, log, alerts }: OutboxPorts, holder: string): Promise<readonly Pending[]> {
  const unknown = (_: string, error: string) => log.warn('alert in the outbox has an unknown form', { error });
  const entries = await unlessUnavailable(store.list(OUTBOX), (error) => {
    log.warn('outbox not read', { error });
    return [];
  });
  const now = clock.now();
  return readEach(entries, pendingOf, unknown)
    .filter(({ entry }) => entry.holder === holder || (entry.heldUntil <= now && !alerts.isPrivate))
    .toSorted((a, b) => a.entry.entrustedAt - b.entry.entrustedAt);
}

/** A message that fails unexpectedly must not block those after it, now and in later ticks. */
async function sendSafely({ log }: OutboxPorts, { alerts, send }: Message): Promise<PublishReport> {
  try {
    return await send();
  } catch (error) {
    log.error('unexpected failure to send an alert', { ids: alerts.map(({ id }) => id), error });
    return notSent(alerts, errorText(error));
  }
}

/** If a job died while it sent a digest, the same digest is sent again, under the same id. All other alerts are grouped anew. */
function keptMessages(run: Run, kept: readonly Pending[]): readonly Message[] {
  const repeats = Map.groupBy(
    kept.filter(({ entry }) => entry.digest !== undefined),
    ({ entry }) => entry.digest,
  );
  const fresh = messagesOf(kept.filter(({ entry }) => entry.digest === undefined));
  return [
    ...[...repeats].map(([digest, group]) => ({ group, digest })),
    // The id contains the holder: two jobs at once may each claim a part of the same events.
    ...fresh.map((group) => ({ group, digest: group.length === 1 ? undefined : digestId(group, run.holder) })),
  ].map(({ group, digest }) => ({ alerts: alertsOf(group), send: () => sendGroup(run, group, digest) }));
}

/** A single info is sent as it is. */
function nightlyMessages(run: Run, kept: readonly Pending[]): readonly Message[] {
  const [first, ...more] = kept;
  if (!first) return [];
  const group = [first, ...more] as const;
  const digest = more.length === 0 ? undefined : nightlyId(digestId(group, run.holder));
  return [{ alerts: alertsOf(group), send: () => sendGroup(run, group, digest) }];
}

/** Claims, sends, removes: one of two jobs sends it, and after a crash in between the next job knows that it may have been sent. */
async function sendGroup(run: Run, group: readonly Pending[], digest: string | undefined): Promise<PublishReport> {
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
  const settled = await limit.map(claimed, (one) => settle(store, one, isSent, keptSince(run, one)));
  const unsettled = settled.filter((why) => why !== undefined);
  if (unsettled.length > 0)
    log.warn('outbox not updated', { id: alert.id, error: unsettled[0], alerts: unsettled.length });
  return combined([report, unclaimed]);
}

/** Set for a warning that is now sent for the first time, where a digest will name it. */
function keptSince({ alerts, clock }: Run, one: Pending): number | undefined {
  const isKept = alerts.hasNightlyDigest === true && one.entry.sentAt === undefined && isKeptForNight(one);
  return isKept ? clock.now() : undefined;
}
