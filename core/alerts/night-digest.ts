import type { Alert, AlertEvent } from '../domain/alert.ts';
import { bytesText, countText } from '../format/units.ts';
import { utcText } from '../format/utc-text.ts';
import { compared, digestMember, factsOf, nameOf, titleAlone } from './digest.ts';

type Many = readonly [Alert, ...Alert[]];

/** Up to this many nodes are named under "Next"; all of them are in the list. */
const MOST_NAMED = 10;

const ENDS: readonly AlertEvent[] = ['purged', 'defrag-finished', 'defrag-aborted', 'action-ineffective'];

/** One message for a night: what was done, what it has returned, and what needs a person. Of a run, its end is listed and not its start. */
export function nightlyDigestOf(alerts: Many, id: string): Alert {
  const [first] = alerts;
  const ended = new Set(alerts.flatMap((alert) => (ENDS.includes(alert.event) ? [nameOf(alert)] : [])));
  const listed = alerts.filter((alert) => alert.event !== 'defrag-started' || !ended.has(nameOf(alert)));
  const pressing = listed.filter(({ severity }) => severity !== 'info');
  const others = listed.filter(({ severity }) => severity === 'info');
  const times = alerts.map(({ at }) => at).toSorted(compared);
  return {
    schema: first.schema,
    id,
    event: 'nightly-digest',
    severity: 'info',
    at: times.at(-1) ?? first.at,
    stage: first.stage,
    instance: 'all',
    node: 'all',
    title: `${doneText(listed)}; ${pressing.length === 0 ? 'nothing needs a person' : `${countText(pressing.length)} for a person to look at`}`,
    why: `What Offpeak reported from ${utcText(times[0] ?? '')} to ${utcText(times.at(-1) ?? '')}. Warnings and worse were sent at once, too.`,
    facts: factsOf(listed),
    next: nextText(pressing),
    members: [...pressing, ...others].map((alert) => digestMember(alert, titleAlone(alert))),
  };
}

/** `3 actions on 2 nodes returned 1.2 GiB`. */
function doneText(alerts: readonly Alert[]): string {
  const actions = alerts.filter(({ event }) => ENDS.includes(event));
  if (actions.length === 0) return alerts.length === 1 ? '1 message' : `${countText(alerts.length)} messages`;
  const nodes = new Set(actions.map(nameOf)).size;
  const returned = actions.reduce((sum, { figures }) => sum + (figures?.returnedBytes ?? 0), 0);
  return `${counted(actions.length, 'action')} on ${counted(nodes, 'node')} returned ${bytesText(returned)}`;
}

function counted(count: number, what: string): string {
  return `${countText(count)} ${what}${count === 1 ? '' : 's'}`;
}

function nextText(pressing: readonly Alert[]): string {
  if (pressing.length === 0) return 'Nothing to do.';
  const places = [...new Set(pressing.map(nameOf))];
  const rest = places.length - MOST_NAMED;
  const named = [...places.slice(0, MOST_NAMED), ...(rest > 0 ? [`${countText(rest)} more`] : [])].join(', ');
  return `Read the messages of this night about ${named}. They say what to do.`;
}
