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
  // The account has less of the VMs where RSS is unknown, or a part of them is swapped out.
  const vms = scriptsOutside(observation);
  const parts = [...(vms.length > 0 ? account.parts.filter(({ kind }) => !VMS[kind]) : account.parts), ...vms];
  const held = new Map<string, Bytes>();
  for (const { kind, bytes } of parts) {
    const holder = VMS[kind] ?? kind;
    held.set(holder, (held.get(holder) ?? 0) + bytes);
  }
  // What is not in RAM holds memory as well, in swap.
  const whole = sumOf(parts.filter(({ bytes }) => bytes > 0));
  return (Object.keys(SHARES) as Holder[])
    .map((by) => ({ by, bytes: held.get(by) ?? 0 }))
    .filter(({ by, bytes }) => bytes >= Math.max(FLOOR, SHARES[by] * whole))
    .toSorted((a, b) => b.bytes - a.bytes)
    .map(({ by, bytes }) => ({ kind: 'held', by, bytes, percent: (bytes / whole) * 100 }));
}
