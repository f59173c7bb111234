import * as z from 'zod/mini';
import type { ManagedService } from '../config/iam.ts';
import type { Bytes, Milliseconds, Percent } from '../config/units.ts';
import type { Settings } from '../domain/observation.ts';
import type { StopReason } from '../domain/plan.ts';
import type { Version } from '../domain/stage.ts';
import type { GroupName } from '../ports/parameter-groups.ts';
import type { StateStore, Stored } from '../ports/state-store.ts';
import { type DocumentKind, decode, each, encode, oneOf, readEach } from '../state/codec.ts';
import { GROUP_LEASE } from '../state/keys.ts';
import type { Prior } from './values.ts';

/** One node of the group, as the last check found it. */
export interface LeasedNode {
  readonly instance: string;
  readonly node: string;
  readonly runId?: string;
  /** As the run began; absent in what an older version has stored. */
  readonly engine?: Version;
  readonly role: string;
  readonly rssBefore: Bytes;
  readonly rss: Bytes;
  /** Epoch ms. */
  readonly at: number;
  readonly hits: number;
  readonly misses: number;
  readonly fragmentation: Bytes;
  /** What its defrag would return, as the run began. */
  readonly predicted?: Bytes;
  readonly commands?: number;
  readonly cpuSeconds?: number;
  /** Its defragger was seen at work: AWS has applied the group there. */
  readonly hasRun: boolean;
  /** Checks in a row in which next to nothing moved. */
  readonly idleLooks: number;
}

/** What Offpeak has changed in a parameter group, and what restores it. It is bound to no server: only the parameters say what is on. */
export interface GroupLease extends GroupName {
  readonly phase: 'taking' | 'running' | 'closing' | 'settling';
  /** The clusters that used the group at the start. */
  readonly clusters: readonly string[];
  readonly nodes: readonly LeasedNode[];
  readonly prior: Readonly<Record<string, Prior>>;
  readonly applied: Settings;
  /** Epoch ms. */
  readonly acquiredAt: number;
  readonly expiresAt: number;
  /** The job that is in the middle of a step, and until when no other one touches the group (epoch ms). */
  readonly holder: string;
  readonly busyUntil: number;
  /** All nodes together. */
  readonly predicted: Bytes;
  readonly stall: Milliseconds;
  readonly cpu: Percent;
  readonly byHand?: true;
  /** The prior values were set again (epoch ms). */
  readonly restoredAt?: number;
  readonly closing?: StopReason;
  /** Why, in words, and on which node. */
  readonly detail?: string;
  readonly leftAlone?: Settings;
}

export interface HeldGroup {
  readonly key: string;
  readonly lease: GroupLease;
  readonly version: number;
}

const amount = z.number();
const maybe = z.exactOptional(amount);
const settings = z.record(z.string(), z.string());

const KIND: DocumentKind<GroupLease> = {
  schema: 1,
  shape: z.looseObject({
    service: oneOf<ManagedService>(),
    ...each(z.string(), 'region', 'group', 'holder'),
    phase: z.enum(['taking', 'running', 'closing', 'settling']),
    clusters: z.array(z.string()),
    nodes: z.array(
      z.looseObject({
        ...each(z.string(), 'instance', 'node', 'role'),
        runId: z.exactOptional(z.string()),
        engine: z.exactOptional(z.looseObject({ name: oneOf<Version['name']>(), version: z.string() })),
        ...each(amount, 'rssBefore', 'rss', 'at', 'hits', 'misses', 'fragmentation', 'idleLooks'),
        ...each(maybe, 'predicted', 'commands', 'cpuSeconds'),
        hasRun: z.boolean(),
      }),
    ),
    prior: z.record(z.string(), z.looseObject(each(z.exactOptional(z.string()), 'value', 'source'))),
    applied: settings,
    ...each(amount, 'acquiredAt', 'expiresAt', 'busyUntil', 'predicted', 'stall', 'cpu'),
    restoredAt: maybe,
    byHand: z.exactOptional(z.literal(true)),
    closing: z.exactOptional(oneOf<StopReason>()),
    detail: z.exactOptional(z.string()),
    leftAlone: z.exactOptional(settings),
  }),
};

export function groupKey({ service, region, group }: GroupName): string {
  return `${GROUP_LEASE}${service}/${region}/${group}`;
}

/** The leases in the documents; `unreadable` is called for each that this version cannot read: none is guessed. */
export function groupLeasesOf(
  documents: ReadonlyMap<string, Stored>,
  unreadable: (key: string, why: string) => void,
): readonly HeldGroup[] {
  return readEach(
    documents,
    (key, { value, version }) => ({ key, lease: decode(KIND, key, value), version }),
    unreadable,
  );
}

/** Of the whole stage. @throws {StateUnavailable} */
export async function readGroupLeases(
  store: Pick<StateStore, 'list'>,
  unreadable: (key: string, why: string) => void = () => {},
): Promise<readonly HeldGroup[]> {
  return groupLeasesOf(await store.list(GROUP_LEASE), unreadable);
}

/** Undefined: another job was first. @throws {StateUnavailable} */
export async function writeGroupLease(
  store: StateStore,
  lease: GroupLease,
  before?: HeldGroup,
): Promise<HeldGroup | undefined> {
  const key = groupKey(lease);
  const written = await store.write(key, encode(KIND, lease, before?.lease), before?.version);
  return written.stored ? { key, lease, version: written.version } : undefined;
}
