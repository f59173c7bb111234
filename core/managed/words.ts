import { briefReason, traitsOf } from '../actions/defrag/stop-reasons.ts';
import { ALERT_SCHEMA, type Alert, type AlertEvent } from '../domain/alert.ts';
import { bytesText, durationText, isoText, sentence, timeText } from '../format/units.ts';
import type { GroupName } from '../ports/parameter-groups.ts';
import type { GroupLease } from './lease.ts';

// What is said of a parameter group: in plans, logs and alerts.

const SERVICES = { elasticache: 'ElastiCache', memorydb: 'MemoryDB' } as const;

export function groupText({ service, region, group }: GroupName): string {
  return `parameter group ${group} of ${SERVICES[service]} in ${region}`;
}

export type GroupEvent =
  | { readonly kind: 'started' }
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly doing: string; readonly why: string };

/** One alert for the group: its nodes were switched at once. The id names the lease, so that a job that finishes another's work sends the same. */
export function groupAlert(lease: GroupLease, event: GroupEvent, { stage, at }: { stage: string; at: number }): Alert {
  const { acquiredAt, nodes } = lease;
  const said = event.kind === 'started' ? started(lease) : event.kind === 'ended' ? ended(lease) : failed(lease, event);
  const ids = [...new Set(nodes.map(({ instance }) => instance))];
  const [first = 'all'] = ids;
  const instance = ids.length === 1 ? first : 'all';
  const { service, region, group } = lease;
  return {
    schema: ALERT_SCHEMA,
    id: [stage, service, region, group, said.event, isoText(acquiredAt)].join('/'),
    at: isoText(at),
    stage,
    instance,
    node: `${service}:${group}`,
    ...said,
    title: `${instance === 'all' ? 'several instances' : instance}: ${said.title}`,
    facts: [
      { label: 'Parameter group', value: groupText(lease) },
      { label: 'Clusters', value: lease.clusters.join(', ') },
      { label: 'Nodes', value: nodes.map(({ node }) => node).join(', ') },
      ...said.facts,
    ],
  };
}

type Said = Pick<Alert, 'event' | 'severity' | 'title' | 'why' | 'facts' | 'next'> & Partial<Pick<Alert, 'figures'>>;

function started({ predicted, nodes, expiresAt, applied, stall }: GroupLease): Said {
  return {
    event: 'defrag-started',
    severity: 'info',
    title: `active defrag started on ${nodes.length} nodes, ${bytesText(predicted)} predicted back`,
    why: 'Memory is free, but scattered over pages that also hold data.',
    facts: [
      { label: 'Predicted', value: `${bytesText(predicted)} back`, figure: 'predictedBytes' },
      { label: 'Promised', value: stallText(stall) },
      { label: 'Ends', value: `${timeText(expiresAt)} at the latest` },
      { label: 'Parameters now', value: valuesText(applied) },
    ],
    next: 'Nothing to do. Offpeak monitors every node, ends it, and restores every parameter.',
    figures: { predictedBytes: predicted, promisedStallMs: stall, rssBefore: total(nodes, 'rssBefore') },
  };
}

function ended({ closing = 'interrupted', detail, nodes, predicted, prior, leftAlone = {} }: GroupLease): Said {
  const { kind, says } = traitsOf(closing);
  const [rssBefore, rssAfter] = [total(nodes, 'rssBefore'), total(nodes, 'rss')];
  const event: AlertEvent = kind === 'end' ? 'defrag-finished' : 'defrag-aborted';
  const restored = Object.entries(prior).map(([name, { value }]) => `${name} ${value ?? '(unset)'}`);
  return {
    event,
    severity: kind === 'trouble' || Object.keys(leftAlone).length > 0 ? 'warning' : 'info',
    title:
      kind === 'end'
        ? `${bytesText(Math.max(0, rssBefore - rssAfter))} returned by active defrag`
        : `active defrag ended early (${briefReason(closing)}) on ${nodes.length} nodes`,
    why: sentence(detail ?? says),
    facts: [
      { label: 'RSS before', value: bytesText(rssBefore), figure: 'rssBefore' },
      { label: 'RSS after', value: bytesText(rssAfter), figure: 'rssAfter' },
      { label: 'Predicted', value: bytesText(predicted), figure: 'predictedBytes' },
      { label: 'Parameters restored', value: restored.join(', ') },
      ...(kind === 'end' ? [] : [{ label: 'Reason', value: closing }]),
      ...(Object.keys(leftAlone).length > 0
        ? [{ label: 'Left as a person has set them', value: valuesText(leftAlone) }]
        : []),
    ],
    next:
      Object.keys(leftAlone).length > 0
        ? 'Check that these values are intended. Offpeak does not restore the earlier values over them.'
        : 'Nothing to do. Free pages leave by the decay of the allocator, or by a purge.',
    figures: { rssBefore, rssAfter, predictedBytes: predicted },
  };
}

function failed(lease: GroupLease, { doing, why }: Extract<GroupEvent, { kind: 'failed' }>): Said {
  return {
    event: 'action-failed',
    severity: 'critical',
    title: `the ${groupText(lease)} could not be ${doing}`,
    why: sentence(why),
    facts: [{ label: 'Prior values', value: priorText(lease) }],
    next: 'Active defrag may be on. The next tick tries again. To end it now, set these values in the parameter group by hand.',
  };
}

function priorText({ prior }: Pick<GroupLease, 'prior'>): string {
  return Object.entries(prior)
    .map(([name, { value, source }]) => `${name} ${value ?? '(unset)'}${source === undefined ? '' : ` (${source})`}`)
    .join(', ');
}

/** Only `cycle-max` bounds a cycle: a group has no `hz`. */
export function stallText(stall: number): string {
  return `at most ${durationText(stall)} for a cycle at hz 10; Offpeak cannot make it gentler while it is on`;
}

export function valuesText(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function total(nodes: GroupLease['nodes'], what: 'rss' | 'rssBefore'): number {
  return nodes.reduce((sum, node) => sum + node[what], 0);
}
