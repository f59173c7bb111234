import * as z from 'zod/mini';
import type { Milliseconds } from '../config/units.ts';
import { ALERT_SCHEMA, type Alert, type AlertEvent } from '../domain/alert.ts';
import { ALERT_HELD } from '../domain/timings.ts';
import { type StateStore, StateUnavailable, type Stored } from '../ports/state-store.ts';
import { type DocumentKind, decode, each, encode, oneOf } from '../state/codec.ts';
import { OUTBOX } from '../state/keys.ts';

interface Entry {
  readonly alert: Alert;
  /** When it was queued (epoch ms). The name is that of stored documents. */
  readonly entrustedAt: number;
  readonly holder: string;
  readonly heldUntil: number;
  /** Deliveries that were begun, with an unknown result. */
  readonly sendings: number;
  /** The id of the digest in which it was being sent: a repeat is sent in the same digest. */
  readonly digest?: string;
  /** It was sent on its own (epoch ms), and is kept for the nightly digest, which says what needs a person. */
  readonly sentAt?: number;
}

export interface Pending {
  readonly key: string;
  readonly entry: Entry;
  readonly alert: Alert;
  readonly version: number;
}

const text = z.string();

const shape = z.looseObject({
  alert: z.looseObject({
    schema: z.literal(ALERT_SCHEMA),
    event: oneOf<AlertEvent>(),
    severity: z.enum(['info', 'warning', 'critical']),
    ...each(text, 'id', 'at', 'stage', 'instance', 'node', 'title', 'why', 'next'),
    facts: z.array(z.looseObject({ label: text, value: text })),
  }),
  holder: text,
  ...each(z.number(), 'entrustedAt', 'heldUntil', 'sendings'),
  digest: z.exactOptional(text),
  sentAt: z.exactOptional(z.number()),
});

export const ENTRY_KIND: DocumentKind<Entry> = { schema: 1, shape };

/** @throws {StateUnavailable} for a document of an unknown form. */
export function pendingOf(key: string, { value, version }: Stored): Pending {
  const stored = decode(ENTRY_KIND, key, value);
  const entry = { ...stored, alert: withPresentNames(stored.alert) };
  return { key, entry, alert: entry.alert, version };
}

/** Events have had other names: an alert that an older version has queued is sent under the present name. Its id stays. */
function withPresentNames(alert: Alert): Alert {
  const event = alert.event as AlertEvent | 'cure-ineffective';
  return event === 'cure-ineffective' ? { ...alert, event: 'action-ineffective' } : alert;
}

/** For how long it has been in the outbox. */
export function ageOf({ entry }: Pending, now: number): Milliseconds {
  return now - entry.entrustedAt;
}

/** Writes an alert that is not there yet. Returns why it could not be stored, or undefined. */
export async function keep(store: StateStore, holder: string, alert: Alert, now: number): Promise<string | undefined> {
  const entry: Entry = { alert, entrustedAt: now, holder, heldUntil: now + ALERT_HELD, sendings: 0 };
  return await failure(store.write(OUTBOX + alert.id, encode(ENTRY_KIND, entry), undefined));
}

/**
 * Claims an entry for a delivery that begins now, in a digest or alone. Returns it under its new version; a text: why it could not be
 * claimed; undefined: another job has it.
 */
export async function claim(
  store: StateStore,
  { key, entry, version }: Pending,
  { holder, now, digest }: { readonly holder: string; readonly now: number; readonly digest: string | undefined },
): Promise<Pending | string | undefined> {
  const claimed: Entry = {
    ...freed(entry),
    holder,
    heldUntil: now + ALERT_HELD,
    sendings: entry.sendings + 1,
    ...(digest !== undefined && { digest }),
  };
  const written = await outcome(store.write(key, encode(ENTRY_KIND, claimed), version));
  if (typeof written === 'string') return written;
  // With the earlier number of deliveries: if this one fails, it does not count.
  return written.stored ? { key, entry, alert: entry.alert, version: written.version } : undefined;
}

/**
 * After a delivery: removes what was accepted, or with `sentAt` keeps it for the nightly digest, and releases what was not. Returns why that
 * failed, or undefined.
 */
export async function settle(
  store: StateStore,
  { key, entry, version }: Pending,
  isSent: boolean,
  sentAt?: number,
): Promise<string | undefined> {
  if (isSent && sentAt === undefined) return await failure(store.remove(key, version));
  const left: Entry = { ...freed(entry), heldUntil: 0, ...(isSent && sentAt !== undefined && { sentAt }) };
  return await failure(store.write(key, encode(ENTRY_KIND, left), version));
}

/** Without its digest: an alert that was not accepted may be sent in another one. */
function freed({ digest, ...entry }: Entry): Entry {
  return entry;
}

export async function failure(attempt: Promise<unknown>): Promise<string | undefined> {
  const result = await outcome(attempt);
  return typeof result === 'string' ? result : undefined;
}

async function outcome<T>(attempt: Promise<T>): Promise<T | string> {
  try {
    return await attempt;
  } catch (error) {
    // An alert that no store can hold is sent without one: the job's own records must not stop an action that has begun.
    if (error instanceof StateUnavailable || error instanceof TypeError) return error.message;
    throw error;
  }
}

/** Whether the end of an action on a node has been queued since an instant (epoch ms). */
export async function isEnqueued(store: StateStore, place: readonly string[], since: number): Promise<boolean> {
  const entries = await store.list(`${OUTBOX}${place.join('/')}/`);
  return [...entries].some(([key, stored]) => isEndSince(pendingOf(key, stored).entry, since));
}

/** Events at the end of a purge, or of the defrag that it belongs to. */
const ENDS: readonly AlertEvent[] = ['purged', 'action-ineffective', 'defrag-finished', 'defrag-aborted'];

function isEndSince({ alert, entrustedAt }: Entry, since: number): boolean {
  const isFailedPurge = alert.event === 'action-failed' && alert.id.includes('/action-failed/purge/');
  return entrustedAt >= since && (isFailedPurge || ENDS.includes(alert.event));
}
