import type { Config, InstanceConfig } from '../../core/config/schema.ts';
import { HOUR, type Milliseconds } from '../../core/config/units.ts';
import type { Lease } from '../../core/domain/lease.ts';
import { type Pause, pauseByTag } from '../../core/domain/pause.ts';
import type { WindowState } from '../../core/domain/window.ts';
import { blockerText } from '../../core/format/blocker.ts';
import { holderText } from '../../core/format/holder.ts';
import { pauseText } from '../../core/format/pause.ts';
import { bytesText, timeText } from '../../core/format/units.ts';
import { unlistedText } from '../../core/format/unlisted.ts';
import { isRecent } from '../../core/guards/stage-limits.ts';
import { windowAt } from '../../core/guards/window.ts';
import { leasesIn } from '../../core/leases/lease-store.ts';
import type { GroupLease } from '../../core/managed/lease.ts';
import type { State } from '../../core/reconcile/snapshot.ts';
import type { HeldMembership, Membership } from '../../core/state/memberships.ts';
import { EVERY_INSTANCE } from '../../core/state/pauses.ts';
import { type Done, doneLines, doneOn } from './history.ts';
import { tableLines } from './table.ts';

export interface Status {
  readonly leases: readonly Lease[];
  /** Defrags that a parameter group has switched on for all of its nodes. */
  readonly groups: readonly GroupLease[];
  readonly pauses: readonly (Pause & { readonly scope: string })[];
  readonly instances: readonly { readonly instance: InstanceConfig; readonly window: WindowState }[];
  /** The latest action of each node. */
  readonly results: readonly Done[];
  /** By document, why it cannot be read. */
  readonly unreadable: readonly string[];
  /** In sentences: nodes that the config does not name, versions that get no defrag now. */
  readonly remarks: readonly string[];
}

/** What was seen longer ago than this is not what is: the job asks once a day. */
const LATEST: Milliseconds = 48 * HOUR;

/** What the state says beside its leases and histories. */
interface Known {
  /** Epoch ms. */
  readonly now: number;
  readonly groups?: readonly GroupLease[];
  /** By instance that names its nodes. */
  readonly memberships?: ReadonlyMap<string, HeldMembership>;
}

/** What is known at `now` (epoch ms), without a question to any server. */
export function statusAt(
  { instances }: Pick<Config, 'instances'>,
  state: State,
  { now, groups = [], memberships = new Map() }: Known,
): Status {
  const pauses = [
    ...[...state.pauses.stored].map(([scope, { pause }]) => ({ scope, ...pause })),
    ...instances.flatMap((instance) => {
      const pause = pauseByTag(instance);
      return pause === undefined ? [] : [{ scope: instance.id, ...pause }];
    }),
  ];
  return {
    leases: leasesIn(state),
    groups,
    pauses: pauses.filter(({ until }) => until > now),
    instances: instances.map((instance) => ({ instance, window: windowOf(instance, now) })),
    results: instances.flatMap((instance) => doneOn([instance], state)).filter(isLatest),
    unreadable: [...state.unreadable.values()],
    remarks: instances.flatMap((instance) => unlistedOf(instance, memberships.get(instance.id)?.document, now)),
  };
}

/** By the latest check of the nodes that the config names now. */
function unlistedOf({ id, nodes }: InstanceConfig, known: Membership | undefined, now: number): readonly string[] {
  if (!known || known.unlisted.length === 0 || now - known.at > LATEST) return [];
  return known.nodes.join() === nodes.map((node) => node.id).join() ? [unlistedText(id, known.unlisted)] : [];
}

/** Versions that get no defrag now, each with its latest reason. */
export function heldVersions({ stageDocument }: State, now: number, timezone: string): readonly string[] {
  const falls = typeof stageDocument === 'object' ? stageDocument.falls : [];
  const byVersion = Map.groupBy(
    falls.filter((fall) => isRecent(fall, now)).toSorted((a, b) => b.at - a.at),
    ({ engine: { name, version } }) => `${name} ${version}`,
  );
  return [...byVersion].flatMap(([version, [latest]]) =>
    latest ? [`${version}: ${blockerText({ kind: 'version-fell', ...latest }, { timezone })}`] : [],
  );
}

function isLatest(done: Done, index: number, all: readonly Done[]): boolean {
  return all.findIndex(({ node }) => node === done.node) === index;
}

function windowOf({ windows, timezone, holidays }: InstanceConfig, now: number): WindowState {
  return timezone === undefined ? { open: false, nextOpening: undefined } : windowAt(windows, timezone, now, holidays);
}

/** Every time is absolute, and in `timezone`. */
export function statusLines(
  { leases, groups, pauses, instances, results, unreadable, remarks }: Status,
  timezone: string,
): readonly string[] {
  return [
    ...unreadable.map((why) => `cannot be read, so that nothing is started there: ${why}`),
    ...remarks,
    ...(leases.length + groups.length === 0
      ? ['No defrag of Offpeak is on.']
      : ['Defrags of Offpeak that are on:', ...leaseLines(leases, timezone), ...groupLines(groups, timezone)]),
    ...(pauses.length === 0 ? ['No instance is paused.'] : ['Pauses:']),
    ...pauseLines(pauses, timezone),
    'Windows:',
    ...tableLines(windowRows(instances, timezone)),
    ...(results.length === 0
      ? ['No action is known of these nodes.']
      : ['Last action of each node:', ...doneLines(results, timezone)]),
  ];
}

function leaseLines(leases: readonly Lease[], timezone: string): readonly string[] {
  return leases.flatMap(({ instance, node, phase, acquiredAt, expiresAt, byHand, holder, predicted, status }) => [
    `  ${instance} ${node}: ${phase}${status === 'quarantined' ? ', its server was not found' : ''}${byHand ? ', started by hand (run --now)' : ''}, since ${timeText(acquiredAt, { timezone })}`,
    `    ends at ${timeText(expiresAt, { timezone })} at the latest; ${bytesText(predicted.reclaim)} predicted; last worked on by ${holderText(holder)}`,
  ]);
}

const MOST_NAMED = 5;

/** The shards of a group have the tag of their group: what is paused alike is one line. */
function pauseLines(pauses: Status['pauses'], timezone: string): readonly string[] {
  return [...Map.groupBy(pauses, (pause) => pauseText(pause, { timezone }))].map(([text, alike]) => {
    const names = alike.map(({ scope }) => (scope === EVERY_INSTANCE ? 'all instances' : scope));
    const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
    return `  ${names.slice(0, MOST_NAMED).join(', ')}${more}: ${text}`;
  });
}

function groupLines(groups: readonly GroupLease[], timezone: string): readonly string[] {
  return groups.flatMap(({ service, region, group, clusters, nodes, phase, byHand, ...lease }) => [
    `  parameter group ${group} (${service}, ${region}), ${nodes.length} nodes of ${clusters.join(', ')}: ${phase}${byHand ? ', started by hand (run --now)' : ''}, since ${timeText(lease.acquiredAt, { timezone })}`,
    `    ends at ${timeText(lease.expiresAt, { timezone })} at the latest; ${bytesText(lease.predicted)} predicted; last worked on by ${holderText(lease.holder)}`,
  ]);
}

/** The shards of one discovery have the same windows, but for what their tags say: one row for all that are alike. */
function windowRows(instances: Status['instances'], timezone: string): readonly (readonly string[])[] {
  const alike = Map.groupBy(instances, ({ instance: { id, found, discover }, window }) => {
    const unknown = discover ? '; its nodes are not known yet' : '';
    return `${found?.by ?? id}\n${windowText(window, timezone)}${unknown}`;
  });
  return [...alike].map(([key, rows]) => {
    const [id = '', text = ''] = key.split('\n');
    const [only] = rows;
    if (only?.instance.found === undefined) return [id, text];
    return [rows.length === 1 ? only.instance.id : `${id} (${rows.length} shards)`, text];
  });
}

/** Windows that touch are followed for eight days on either side: what is open for longer than this has no end in sight. */
const ALWAYS: Milliseconds = 15 * 24 * HOUR;

function windowText(window: WindowState, timezone: string): string {
  if (window.open && window.closesAt - window.opensAt > ALWAYS) return 'open at all times';
  if (window.open) return `open until ${timeText(window.closesAt, { timezone })}`;
  if (window.nextOpening === undefined) return 'none: Offpeak only watches it';
  return `${window.holiday ? 'closed for a holiday, ' : ''}next opens ${timeText(window.nextOpening, { timezone })}`;
}
