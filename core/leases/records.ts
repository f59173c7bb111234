import * as z from 'zod/mini';
import type { Applied, Lease } from '../domain/lease.ts';
import type { Settings } from '../domain/observation.ts';
import type { StateStore } from '../ports/state-store.ts';
import { type DocumentKind, decode, each, encode, isNewer, readEach } from '../state/codec.ts';
import { recordKey } from '../state/keys.ts';
import { noteRun } from '../state/runs.ts';

/** Values that earlier leases have given a setting, at other limits. */
const VALUES_KEPT = 16;

interface SettingsRecord extends Applied {
  readonly instance: string;
  readonly node: string;
  readonly runId: string;
  readonly acquiredAt: number;
  /** Epoch ms: when the last lease was to end. */
  readonly expiresAt: number;
  readonly prior: Settings;
  /** The job that restores the settings by this record now, and until when no other job does (epoch ms). */
  readonly holder?: string;
  readonly busyUntil?: number;
  /**
   * The `run_id` of the process on which the settings were restored: if they are set there again, a person has set them. The name is
   * that of stored documents.
   */
  readonly givenBackOn?: string;
}

export interface HeldRecord {
  readonly key: string;
  readonly record: SettingsRecord;
  readonly version: number;
}

const shape = z.looseObject({
  ...each(z.string(), 'instance', 'node', 'runId'),
  ...each(z.number(), 'acquiredAt', 'expiresAt'),
  ...each(z.record(z.string(), z.string()), 'prior', 'applied'),
  ladder: z.exactOptional(z.record(z.string(), z.array(z.string()))),
  ...each(z.exactOptional(z.string()), 'holder', 'givenBackOn'),
  busyUntil: z.exactOptional(z.number()),
});

export const RECORD_KIND: DocumentKind<SettingsRecord> = { schema: 1, shape };

/**
 * Writes the record of a lease that has set something. A record of a newer version stays as it is.
 *
 * @param restoredOn the `run_id` of the process that was seen to have none of the lease's settings any more
 * @throws {StateUnavailable}
 */
export async function keepRecord(store: StateStore, lease: Lease, restoredOn?: string): Promise<void> {
  if (Object.keys(lease.applied).length === 0) return;
  const key = recordKey(lease.node);
  // Another job may end the same lease at the same moment: both write the same.
  for (let attempt = 0; attempt < 3; attempt++) {
    const stored = await store.read(key);
    if (stored && isNewer(RECORD_KIND, stored.value)) return;
    await noteRun(store, lease.runId, lease.node);
    const [earlier] = readEach(stored ? [[key, stored]] : [], (_, { value }) => decode(RECORD_KIND, key, value));
    const record = { ...recordOf(lease, earlier), ...(restoredOn !== undefined && { givenBackOn: restoredOn }) };
    if ((await store.write(key, encode(RECORD_KIND, record, earlier), stored?.version)).stored) return;
  }
}

/**
 * With the values that earlier leases have given the same settings: the config file may hold those. A value that a lease finds already
 * set comes from an earlier lease.
 */
function recordOf(lease: Lease, earlier?: SettingsRecord): SettingsRecord {
  const { instance, node, runId, acquiredAt, expiresAt, prior, applied } = lease;
  const ladder = Object.keys(applied).map((name): [string, readonly string[]] => {
    const values = [lease, ...(earlier ? [earlier] : [])].flatMap((one) => [
      ...(one.applied[name] === undefined ? [] : [one.applied[name]]),
      ...(one.ladder?.[name] ?? []),
    ]);
    return [name, [...new Set(values)].slice(0, VALUES_KEPT)];
  });
  return { instance, node, runId, acquiredAt, expiresAt, prior, applied, ladder: Object.fromEntries(ladder) };
}

/** Undefined: another job has changed it in the meantime. @throws {StateUnavailable} */
export async function renewRecord(
  store: StateStore,
  held: HeldRecord,
  record: SettingsRecord,
): Promise<HeldRecord | undefined> {
  const document = encode(RECORD_KIND, record, held.record);
  const written = await store.write(held.key, document, held.version);
  return written.stored ? { ...held, record: document, version: written.version } : undefined;
}
