import * as z from 'zod/mini';
import { MINUTE, type Milliseconds } from '../config/units.ts';
import { ALERT_SCHEMA, type Alert, type AlertEvent } from '../domain/alert.ts';
import { type StateStore, StateUnavailable, type Stored } from '../ports/state-store.ts';
import { understood } from '../state/codec.ts';
import { OUTBOX } from '../state/keys.ts';

/** For this long only its writer may send it. Longer than any lease is busy. */
const HELD: Milliseconds = 2 * MINUTE;

export interface Entry {
  readonly alert: Alert;
  /** When it was queued (epoch ms). The name is that of stored documents. */
  readonly entrustedAt: number;
  readonly holder: string;
  readonly heldUntil: number;
  /** Deliveries that were begun, with an unknown result. */
  readonly sendings: number;
  /** The id of the digest in which it was being sent: a repeat is sent in the same digest. */
  readonly digest?: string;
}

export interface Pending {
  readonly key: string;
  readonly entry: Entry;
  readonly alert: Alert;
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
    facts: z.array(z.looseObject({ label: text, value: text })),
    next: text,
  }),
  entrustedAt: z.number(),
  holder: text,
  heldUntil: z.number(),
  sendings: z.number(),
  digest: z.optional(text),
});

/** @throws {StateUnavailable} for a document of an unknown form. */
export function pendingOf(key: string, { value, version }: Stored): Pending {
  const stored = understood(entrySchema, key, value) as Entry;
  const entry = { ...stored, alert: withPresentNames(stored.alert) };
  return { key, entry, alert: entry.alert, version };
}

/** Events have had other names: an alert that an older version has queued is sent under the present name. Its id stays. */
function withPresentNames(alert: Alert): Alert {
  const event = alert.event as AlertEvent | 'cure-ineffective';
  return event === 'cure-ineffective' ? { ...alert, event: 'action-ineffective' } : alert;
}

/** Writes an alert that is not there yet. Returns why it could not be stored, or undefined. */
export async function keep(store: StateStore, holder: string, alert: Alert, now: number): Promise<string | undefined> {
  const entry: Entry = { alert, entrustedAt: now, holder, heldUntil: now + HELD, sendings: 0 };
  return await failure(store.write(OUTBOX + alert.id, entry, undefined));
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
    heldUntil: now + HELD,
    sendings: entry.sendings + 1,
    ...(digest !== undefined && { digest }),
  };
  const written = await outcome(store.write(key, claimed, version));
  if (typeof written === 'string') return written;
  // With the earlier number of deliveries: if this one fails, it does not count.
  return written.stored ? { key, entry, alert: entry.alert, version: written.version } : undefined;
}

/** After a delivery: removes what was accepted, and releases what was not. Returns why that failed, or undefined. */
export async function settle(
  store: StateStore,
  { key, entry, version }: Pending,
  isSent: boolean,
): Promise<string | undefined> {
  const done = isSent ? store.remove(key, version) : store.write(key, { ...freed(entry), heldUntil: 0 }, version);
  return await failure(done);
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
