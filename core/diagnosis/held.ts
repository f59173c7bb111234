import { type Bytes, MIB } from '../config/units.ts';
import type { Holder, MemoryAccount, PartKind } from '../domain/account.ts';
import type { Finding } from '../domain/diagnosis.ts';
import type { Observation } from '../domain/observation.ts';
import { scriptsOutside, sumOf } from './account.ts';

/** From here on a part has a finding, as a share of the whole. */
const SHARES: Readonly<Record<Holder, number>> = {
  'client-buffers': 0.1,
  'replica-buffers': 0.1,
  'replication-backlog': 0.1,
  'full-sync-buffer': 0.1,
  'cluster-links': 0.1,
  'slot-migration': 0.1,
  'aof-buffer': 0.1,
  scripts: 0.1,
  functions: 0.1,
  uncounted: 0.1,
  // Small keys have tables of this size.
  dictionaries: 0.5,
  'other-overhead': 0.5,
};

/** Below it, a share is one of nothing. */
const FLOOR = 100 * MIB;

const VMS: Partial<Record<PartKind, Holder>> = { 'scripts-vm': 'scripts', 'functions-vm': 'functions' };

/** What holds much, largest first. Each is known by its own field: others may be missing. */
export function heldFindings(account: MemoryAccount | undefined, observation: Observation): readonly Finding[] {
  if (!account) return [];
  // Without RSS the account ends at used_memory: what is outside of it is known all the same.
  const parts = [...account.parts, ...(account.of === 'rss' ? [] : scriptsOutside(observation))];
  const held = new Map<string, Bytes>();
  for (const { kind, bytes } of parts) {
    const holder = VMS[kind] ?? kind;
    held.set(holder, (held.get(holder) ?? 0) + bytes);
  }
  const whole = sumOf(parts);
  return (Object.keys(SHARES) as Holder[])
    .map((by) => ({ by, bytes: held.get(by) ?? 0 }))
    .filter(({ by, bytes }) => bytes >= Math.max(FLOOR, SHARES[by] * whole))
    .toSorted((a, b) => b.bytes - a.bytes)
    .map(({ by, bytes }) => ({ kind: 'held', by, bytes, percent: (bytes / whole) * 100 }));
}
