import { type Bytes, MIB } from '../config/units.ts';
import type { MemoryAccount, PartKind } from '../domain/account.ts';
import type { Finding, Holder } from '../domain/diagnosis.ts';
import type { Observation } from '../domain/observation.ts';
import { heldParts } from './account.ts';

/** From here on a part has a finding: a tenth of the memory, and not a tenth of nothing. */
const SHARE = 0.1;
const FLOOR = 100 * MIB;

const VM_OF = { 'scripts-vm': 'scripts', 'functions-vm': 'functions' } as const satisfies Partial<
  Record<PartKind, Holder>
>;

const HOLDERS: readonly Holder[] = [
  'client-buffers',
  'replica-buffers',
  'replication-backlog',
  'full-sync-buffer',
  'cluster-links',
  'aof-buffer',
  'scripts',
  'functions',
];

/** Buffers, scripts and functions that hold much, each by its own field: other fields may be missing. Largest first. */
export function heldFindings(observation: Observation, account: MemoryAccount | undefined): readonly Finding[] {
  const total = account?.total ?? 0;
  return HOLDERS.map((by) => ({ by, bytes: heldBy(by, observation, account) }))
    .filter(({ bytes }) => bytes >= Math.max(FLOOR, SHARE * total) && bytes <= total)
    .toSorted((a, b) => b.bytes - a.bytes)
    .map(({ by, bytes }) => ({ kind: 'held', by, bytes, percent: (bytes / total) * 100 }));
}

/** With its VM, wherever that is. */
function heldBy(by: Holder, observation: Observation, account: MemoryAccount | undefined): Bytes {
  const outside = account?.parts.filter(({ kind }) => kind in VM_OF && VM_OF[kind as keyof typeof VM_OF] === by) ?? [];
  const inside = heldParts(observation).filter(({ kind }) => kind === by);
  return [...inside, ...outside].reduce((sum, { bytes }) => sum + bytes, 0);
}
