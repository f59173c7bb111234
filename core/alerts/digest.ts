import { type Alert, type AlertEvent, type AlertFact, NODES_A_MESSAGE } from '../domain/alert.ts';
import { bytesText, countText, durationText } from '../format/units.ts';

// What happens to many nodes at once is told in one message that lists them (issue 11, F11).

/** What is told at once ends in so many messages, as long as it is no more than {@link MOST_AT_ONCE} events. */
export const MOST_MESSAGES = 10;

/** Events that are told at once: a digest of so many names each node within what SNS takes. */
export const MOST_AT_ONCE = 1_000;

/** So many events of one kind are told one by one. */
const FEW = 3;

/** A reason may say what to type. */
const WHAT_CHARS = 400;
/** Different words for what to do: so many are quoted. */
const MOST_NEXT = 3;

/** By what events are told together; `few` of a kind are told one by one. */
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
/** The severities are three, so that this is always few enough. */
const COARSEST: Level = { kindOf: ({ severity }) => severity, few: 1 };

/**
 * Divides up to {@link MOST_AT_ONCE} events into at most {@link MOST_MESSAGES} messages, in the order of the first event of each: a
 * group of one is told as it is, a larger one as a digest. By event, severity and, of failures, cause; where those are too many,
 * by less.
 */
export function messagesOf<T extends { readonly alert: Alert }>(told: readonly T[]): readonly (readonly [T, ...T[]])[] {
  const divided = LEVELS.map((level) => groupsOf(told, level));
  const fitting = divided.find((groups) => groups.reduce((sum, group) => sum + shownAs(group), 0) <= MOST_MESSAGES);
  return fitting ?? groupsOf(told, COARSEST);
}

function groupsOf<T extends { readonly alert: Alert }>(
  told: readonly T[],
  { kindOf, few }: Level,
): readonly (readonly [T, ...T[]])[] {
  const kinds = Map.groupBy(told, ({ alert }) => kindOf(alert));
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

/** The titles of these say why, and hold no figures. */
const CAUSED: readonly AlertEvent[] = ['action-failed', 'defrag-aborted'];

function causeOf(alert: Alert): string {
  return CAUSED.includes(alert.event) ? titleAlone(alert) : '';
}

/** The title of one node has figures of its own: it is never that of all. */
const FIGURED: readonly AlertEvent[] = ['purged', 'defrag-started', 'defrag-finished', 'action-ineffective', 'several'];

/** What has happened, where the titles are not the same for all. */
const PHRASES: Partial<Record<AlertEvent, string>> = {
  purged: 'purged',
  'defrag-started': 'active defrag started',
  'defrag-finished': 'active defrag finished',
  'defrag-aborted': 'active defrag ended early',
  'action-failed': 'an action failed',
  'action-ineffective': 'a cure returned too little',
  several: 'events of several kinds',
};

/** The events of many nodes as one alert, that lists them with what sets each apart. All have the same severity. */
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
    title: `${countedText(alerts)}: ${title ?? PHRASES[event] ?? event}`,
    why: why ?? 'Each node has a reason of its own. It stands in the log of the job, with all figures.',
    facts: factsOf(alerts),
    next: nextText(alerts),
    members: alerts
      .map((alert) => ({ ...placeOf(alert), what: whatOf(alert, { title, why }) }))
      .toSorted((a, b) => compared(a.event, b.event) || compared(nameOf(a), nameOf(b))),
  };
}

/** `300 nodes`, or where some of them have several: `1,000 events on 300 nodes`. */
function countedText(alerts: readonly Alert[]): string {
  const nodes = new Set(alerts.map(nameOf)).size;
  const onNodes = `${countText(nodes)} ${nodes === 1 ? 'node' : 'nodes'}`;
  return nodes === alerts.length ? onNodes : `${countText(alerts.length)} events on ${onNodes}`;
}

function placeOf({ id, event, instance, node }: Alert) {
  return { id, event, instance, node };
}

function nameOf({ instance, node }: Pick<Alert, 'instance' | 'node'>): string {
  return `${instance} ${node}`;
}

/** The first of its words that are not the same for all: its title has the figures; else its reason; else which server it is. */
function whatOf(alert: Alert, same: { readonly title: string | undefined; readonly why: string | undefined }): string {
  if (same.title === undefined) return shortened(titleAlone(alert));
  if (same.why === undefined) return shortened(alert.why);
  return shortened(alert.facts.find(({ label }) => label === 'Server')?.value ?? '');
}

function factsOf(alerts: readonly Alert[]): readonly AlertFact[] {
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

/** The node whose clients have waited the longest, and how many waited longer than promised. */
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

/** What to do; where it differs, what most have to do first, with how many they are. */
function nextText(alerts: readonly Alert[]): string {
  const ways = [...Map.groupBy(alerts, ({ next }) => next)].toSorted(([, a], [, b]) => b.length - a.length);
  const [only] = ways;
  if (ways.length === 1 && only) return only[0];
  const said = ways.slice(0, MOST_NEXT).map(([next, those]) => `On ${countText(those.length)} of them: ${next}`);
  const rest = ways.slice(MOST_NEXT).reduce((sum, [, those]) => sum + those.length, 0);
  return [...said, ...(rest === 0 ? [] : [`For the other ${countText(rest)} it stands in the log of the job.`])].join(
    '\n',
  );
}

/** Without the place, which alerts have in front. */
function titleAlone({ title, instance }: Alert): string {
  const place = `${instance === 'all' ? 'all instances' : instance}: `;
  return title.startsWith(place) ? title.slice(place.length) : title;
}

function common<T>(alerts: readonly Alert[], of: (alert: Alert) => T): T | undefined {
  const values = new Set(alerts.map(of));
  const [only] = values;
  return values.size === 1 ? only : undefined;
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= WHAT_CHARS ? line : `${line.slice(0, WHAT_CHARS - 3).trimEnd()}...`;
}

function compared(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
