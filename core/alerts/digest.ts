import { type Alert, type AlertEvent, type AlertFact, type AlertMember, NODES_A_MESSAGE } from '../domain/alert.ts';
import { lookup } from '../format/lookup.ts';
import { bytesText, countText, durationText, shortened } from '../format/units.ts';

// Events of many nodes at once become one message that lists the nodes.

/** The most messages for up to {@link MOST_AT_ONCE} events. */
export const MOST_MESSAGES = 10;

/** The most events at once: a digest of so many can still name each node within the size limit of SNS. */
export const MOST_AT_ONCE = 1_000;

/** Up to this many events of one kind are sent one by one. */
const FEW = 3;

/** A reason may contain commands to type. */
const WHAT_CHARS = 400;
/** Up to this many different texts about what to do are quoted. */
const MOST_NEXT = 3;

/** How events are grouped; up to `few` of a kind are sent one by one. */
interface Level {
  readonly kindOf: (alert: Alert) => string;
  readonly few: number;
}

/** The finest first. */
const LEVELS: readonly Level[] = [
  { kindOf: (alert) => `${alert.severity} ${alert.event} ${causeOf(alert)}`, few: FEW },
  { kindOf: (alert) => `${alert.severity} ${alert.event} ${causeOf(alert)}`, few: 1 },
  { kindOf: ({ severity, event }) => `${severity} ${event}`, few: 1 },
];
/** There are three severities: always few enough. */
const COARSEST: Level = { kindOf: ({ severity }) => severity, few: 1 };

/**
 * Divides up to {@link MOST_AT_ONCE} events into at most {@link MOST_MESSAGES} messages, in the order of the first event of each: a
 * group of one is sent as it is, a larger one as a digest. Groups are by event, severity and, for failures, cause; where that makes too many
 * messages, by fewer of these.
 */
export function messagesOf<T extends { readonly alert: Alert }>(
  events: readonly T[],
): readonly (readonly [T, ...T[]])[] {
  const divided = LEVELS.map((level) => groupsOf(events, level));
  const fitting = divided.find((groups) => groups.reduce((sum, group) => sum + shownAs(group), 0) <= MOST_MESSAGES);
  return fitting ?? groupsOf(events, COARSEST);
}

function groupsOf<T extends { readonly alert: Alert }>(
  events: readonly T[],
  { kindOf, few }: Level,
): readonly (readonly [T, ...T[]])[] {
  const kinds = Map.groupBy(events, ({ alert }) => kindOf(alert));
  return [...kinds.values()].flatMap((group): (readonly [T, ...T[]])[] => {
    const [first, ...others] = group;
    if (first === undefined) return [];
    return group.length > few ? [[first, ...others]] : group.map((one) => [one] as const);
  });
}

/** Messages in a chat. */
function shownAs(group: readonly unknown[]): number {
  return 1 + Math.floor(group.length / NODES_A_MESSAGE);
}

/** Their titles name the cause and hold no figures. */
const CAUSED: readonly AlertEvent[] = ['action-failed', 'defrag-aborted', 'trouble-began', 'trouble-over'];

function causeOf(alert: Alert): string {
  return CAUSED.includes(alert.event) ? titleAlone(alert) : '';
}

/** Their titles have figures of the node, so no title is that of all. */
const FIGURED: readonly AlertEvent[] = ['purged', 'defrag-started', 'defrag-finished', 'action-ineffective', 'several'];

/** The title of a digest, where the titles of its events differ. */
const PHRASES: Partial<Record<AlertEvent, string>> = {
  purged: 'purged',
  'defrag-started': 'active defrag started',
  'defrag-finished': 'active defrag finished',
  'defrag-aborted': 'active defrag ended early',
  'action-failed': 'an action failed',
  'action-ineffective': 'an action returned too little',
  'trouble-began': 'nodes are in trouble',
  'trouble-over': 'nodes are out of trouble',
  several: 'events of several kinds',
};

/** The events of many nodes as one alert, which lists the nodes and how they differ. All have the same severity. */
export function digestOf(alerts: readonly [Alert, ...Alert[]], id: string): Alert {
  const [first] = alerts;
  const event = common(alerts, (alert) => alert.event) ?? 'several';
  const title = FIGURED.includes(event) ? undefined : common(alerts, titleAlone);
  const why = common(alerts, (alert) => alert.why);
  const instance = common(alerts, (alert) => alert.instance) ?? 'all';
  return {
    schema: first.schema,
    id,
    event,
    severity: first.severity,
    at: alerts.map(({ at }) => at).reduce((latest, at) => (at > latest ? at : latest)),
    stage: first.stage,
    instance,
    node: common(alerts, ({ node }) => node) ?? 'all',
    title: `${countedText(alerts)}: ${title ?? lookup(PHRASES, event) ?? event}`,
    why: why ?? 'Each node has a reason of its own. The log of the job has it, with all figures.',
    facts: factsOf(alerts),
    next: nextText(alerts),
    members: alerts
      .map((alert) => digestMember(alert, whatOf(alert, { title, why })))
      .toSorted((a, b) => compared(a.event, b.event) || compared(nameOf(a), nameOf(b))),
  };
}

/** `300 nodes`, or where some of them have several: `1,000 events on 300 nodes`. */
function countedText(alerts: readonly Alert[]): string {
  const nodes = new Set(alerts.map(nameOf)).size;
  const onNodes = `${countText(nodes)} ${nodes === 1 ? 'node' : 'nodes'}`;
  return nodes === alerts.length ? onNodes : `${countText(alerts.length)} events on ${onNodes}`;
}

export function digestMember({ id, event, instance, node }: Alert, what: string): AlertMember {
  return { id, event, instance, node, what: inOneLine(what) };
}

export function nameOf({ instance, node }: Pick<Alert, 'instance' | 'node'>): string {
  return `${instance} ${node}`;
}

/** The first text that is not the same for all: the title with its figures, else the reason, else which server it is. */
function whatOf(alert: Alert, same: { readonly title: string | undefined; readonly why: string | undefined }): string {
  if (same.title === undefined) return titleAlone(alert);
  if (same.why === undefined) return alert.why;
  return alert.facts.find(({ label }) => label === 'Server')?.value ?? '';
}

export function factsOf(alerts: readonly Alert[]): readonly AlertFact[] {
  const events = [...Map.groupBy(alerts, ({ event }) => event)];
  const instances = new Set(alerts.map(({ instance }) => instance)).size;
  return [
    ...(events.length === 1 ? [] : events.map(([event, those]) => ({ label: event, value: countText(those.length) }))),
    { label: 'Instances', value: countText(instances) },
    ...returnedFact(alerts),
    ...waitFact(alerts),
  ];
}

function returnedFact(alerts: readonly Alert[]): readonly AlertFact[] {
  const figures = alerts.flatMap((alert) => (alert.figures?.returnedBytes === undefined ? [] : [alert.figures]));
  if (figures.length === 0) return [];
  const sum = (key: 'returnedBytes' | 'predictedBytes') => figures.reduce((all, one) => all + (one[key] ?? 0), 0);
  const [returned, predicted] = [bytesText(sum('returnedBytes')), bytesText(sum('predictedBytes'))];
  return [{ label: 'Together', value: `${returned} returned of ${predicted} predicted` }];
}

/** The node whose clients have waited longest, and on how many nodes they waited longer than promised. */
function waitFact(alerts: readonly Alert[]): readonly AlertFact[] {
  const waits = alerts.flatMap((alert) => {
    const { stallMs, promisedStallMs = Number.POSITIVE_INFINITY } = alert.figures ?? {};
    return stallMs === undefined ? [] : [{ alert, stallMs, isBeyond: stallMs > promisedStallMs }];
  });
  const [longest] = waits.toSorted((a, b) => b.stallMs - a.stallMs);
  if (longest === undefined || longest.stallMs === 0) return [];
  const beyond = waits.filter(({ isBeyond }) => isBeyond).length;
  const broken = beyond === 0 ? '' : `; ${countText(beyond)} longer than promised`;
  return [{ label: 'Longest wait', value: `${durationText(longest.stallMs)}, on ${nameOf(longest.alert)}${broken}` }];
}

/** What to do; where it differs, the most frequent texts, with how many nodes each concerns. */
function nextText(alerts: readonly Alert[]): string {
  const ways = [...Map.groupBy(alerts, ({ next }) => next)].toSorted(([, a], [, b]) => b.length - a.length);
  const [only] = ways;
  if (ways.length === 1 && only) return only[0];
  const said = ways.slice(0, MOST_NEXT).map(([next, those]) => `On ${countText(those.length)} of them: ${next}`);
  const rest = ways.slice(MOST_NEXT).reduce((sum, [, those]) => sum + those.length, 0);
  return [...said, ...(rest === 0 ? [] : [`For the other ${countText(rest)}, see the log of the job.`])].join('\n');
}

/** Without the name of the instance, with which titles begin, and that of the node, with which some end. */
export function titleAlone({ title, instance, node }: Alert): string {
  const place = `${instance === 'all' ? 'all instances' : instance}: `;
  const what = title.startsWith(place) ? title.slice(place.length) : title;
  return what.endsWith(` on ${node}`) ? what.slice(0, -` on ${node}`.length) : what;
}

function common<T>(alerts: readonly Alert[], of: (alert: Alert) => T): T | undefined {
  const values = new Set(alerts.map(of));
  const [only] = values;
  return values.size === 1 ? only : undefined;
}

function inOneLine(text: string): string {
  return shortened(text.replace(/\s+/g, ' ').trim(), WHAT_CHARS);
}

export function compared(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
