import type { Found, FoundGroup } from '../config/schema.ts';
import { HOUR, MINUTE, type Milliseconds } from '../config/units.ts';
import type { Blocker } from '../domain/blocker.ts';
import type { Observation } from '../domain/observation.ts';
import type { WindowState } from '../domain/window.ts';

// What AWS does to a group by itself, and when.

/** Reasons not to act on a node that was discovered now; they end a run as well. AWS may replace nodes, fail over, or fork for a snapshot. */
export function managedBlockers(
  { acts, dropped, managed }: Partial<Found> = {},
  node: string,
  now: number,
): readonly Blocker[] {
  return [
    ...(acts === false || dropped?.includes(node) ? [{ kind: 'watch-only' } as const] : []),
    ...(managed ? groupBlockers(managed, now) : []),
  ];
}

/**
 * What its discovery says of the whole group: reasons not to start. While that fails, the last inventory cannot say whether a failover or a
 * change of AWS is under way. The nodes of a Cluster, where AWS does not manage it, say it themselves: the second check before a start asks them.
 */
export function unsettledBlockers(
  { unsettled, managed }: Partial<Found> = {},
  { isCluster, examined }: Pick<Observation, 'isCluster' | 'examined'>,
): readonly Blocker[] {
  if (unsettled === undefined) return [];
  if (unsettled !== 'undiscovered' || managed || !isCluster) return [{ kind: unsettled }];
  const { cluster } = examined ?? {};
  return typeof cluster === 'object' && cluster.isFailingOver ? [{ kind: unsettled }] : [];
}

function groupBlockers(managed: FoundGroup, now: number): readonly Blocker[] {
  const { group, status } = managed;
  const maintained = awsWindow(managed.maintenanceWindow, now);
  const saved = awsWindow(managed.snapshotWindow, now);
  const blockers: (Blocker | undefined)[] = [
    status === 'available' ? undefined : { kind: 'group-changing', group, status },
    maintained?.isOpen ? { kind: 'aws-maintenance', until: maintained.until } : undefined,
    saved?.isOpen ? { kind: 'aws-snapshot', until: saved.until } : undefined,
  ];
  return blockers.filter((blocker) => blocker !== undefined);
}

/** An open window ends where one of AWS' begins: a defrag that it would cut off returns next to nothing. */
export function beforeAws(window: WindowState, managed: FoundGroup | undefined, now: number): WindowState {
  if (!window.open || !managed) return window;
  const openings = [managed.maintenanceWindow, managed.snapshotWindow]
    .map((text) => awsWindow(text, now))
    .flatMap((one) => (one && !one.isOpen ? [one.until] : []));
  return { ...window, closesAt: Math.min(window.closesAt, ...openings) };
}

interface AwsWindow {
  readonly isOpen: boolean;
  /** Epoch ms of its end where it is open, and else of its next opening. */
  readonly until: number;
}

const DAY: Milliseconds = 24 * HOUR;
const WEEK: Milliseconds = 7 * DAY;
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const WINDOW = /^(?:([a-z]{3}):)?(\d\d?):(\d\d)-(?:([a-z]{3}):)?(\d\d?):(\d\d)$/i;

/** UTC: `sun:23:00-mon:01:30` each week, `05:00-06:00` each day. What cannot be read has no effect. */
function awsWindow(text: string | undefined, now: number): AwsWindow | undefined {
  const [, day, hour, minute, lastDay, lastHour, lastMinute] = WINDOW.exec(text ?? '') ?? [];
  if (hour === undefined) return undefined;
  const period = day === undefined ? DAY : WEEK;
  const since = now - sunday(now);
  const start = offsetOf(day, hour, minute);
  const length = remainder(offsetOf(lastDay, lastHour, lastMinute) - start, period);
  const into = remainder(since - start, period);
  return into < length ? { isOpen: true, until: now - into + length } : { isOpen: false, until: now - into + period };
}

/** Epoch ms of the beginning of a week in UTC. 1 January 1970 was a Thursday. */
function sunday(now: number): number {
  return Math.floor((now + 4 * DAY) / WEEK) * WEEK - 4 * DAY;
}

function offsetOf(day: string | undefined, hour = '0', minute = '0'): Milliseconds {
  return DAYS.indexOf(day?.toLowerCase() ?? 'sun') * DAY + Number(hour) * HOUR + Number(minute) * MINUTE;
}

function remainder(value: number, period: number): number {
  return ((value % period) + period) % period;
}
