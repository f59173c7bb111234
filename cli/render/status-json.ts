import { isoText } from '../../core/format/units.ts';
import type { Done } from './history.ts';
import { JSON_SCHEMA } from './json.ts';
import type { Status } from './status.ts';

/** Where the figures come from, in each document. */
export interface Head {
  readonly at: number;
  readonly stage: string;
  readonly state: string;
}

/** `status --json`: one line. docs/cli-json.md lists every field. */
export function statusJson(head: Head, status: Status): string {
  const { leases, groups, pauses, instances, results, unreadable, remarks } = status;
  return document(head, {
    leases: leases.map((lease) => ({
      instance: lease.instance,
      node: lease.node,
      status: lease.status,
      ...termsOf(lease),
    })),
    parameterGroups: groups.map(({ service, region, group, clusters, nodes, ...lease }) => ({
      ...{ service, region, group, clusters },
      nodes: nodes.map(({ instance, node }) => ({ instance, node })),
      ...termsOf(lease),
      applied: lease.applied,
    })),
    pauses: pauses.map(({ scope, until, reason, by }) => ({ instance: scope, until: isoText(until), reason, by })),
    windows: instances.map(({ instance, window }) => ({
      instance: instance.id,
      discoveredBy: instance.found?.by,
      timezone: instance.timezone,
      open: window.open,
      closesAt: window.open ? isoText(window.closesAt) : undefined,
      opensAt: window.open || window.nextOpening === undefined ? undefined : isoText(window.nextOpening),
      holiday: window.open ? undefined : window.holiday,
    })),
    results: results.map(doneDocument),
    unreadable: unreadable.length === 0 ? undefined : unreadable,
    remarks: remarks.length === 0 ? undefined : remarks,
  });
}

export function historyJson(head: Head, results: readonly Done[]): string {
  return document(head, { results: results.map(doneDocument) });
}

function document({ at, stage, state }: Head, rest: object): string {
  return JSON.stringify({ schema: JSON_SCHEMA, at: isoText(at), stage, state, ...rest });
}

/** The names of a verdict, as the document of a tick has them. */
function doneDocument({ at, instance, node, action, ...result }: Done) {
  return { at: isoText(at), instance, node, action, ...result };
}

/** What a lease on a node and one on a parameter group have in common. */
type Terms = Pick<
  Status['leases'][number] | Status['groups'][number],
  'phase' | 'acquiredAt' | 'expiresAt' | 'byHand' | 'holder' | 'predicted'
>;

function termsOf({ phase, acquiredAt, expiresAt, byHand, holder, predicted }: Terms) {
  return { phase, since: isoText(acquiredAt), until: isoText(expiresAt), byHand: byHand ?? false, holder, predicted };
}
