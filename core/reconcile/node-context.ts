import type { KnownContext, NodeContext } from '../actions/context.ts';
import type { InstanceConfig } from '../config/schema.ts';
import { NO_PAUSES } from '../domain/pause.ts';
import { present } from '../domain/present.ts';
import type { Peer } from '../domain/replication.ts';
import type { HeldRecord } from '../leases/records.ts';
import type { Announcer } from './announcer.ts';
import type { InstanceWork, Run } from './assign.ts';
import type { OpenNode, ReachedNode } from './observe-fleet.ts';
import type { State } from './snapshot.ts';

/** What a step on this node needs to know and to use. */
export function contextOf(
  look: OpenNode,
  work: InstanceWork,
  run: Run,
  { announce }: Pick<Announcer, 'announce'>,
): NodeContext {
  return { ...knownContext(look, work, run), session: look.session, announce };
}

export function knownContext(look: ReachedNode, work: InstanceWork, run: Run): KnownContext {
  const { instance, node } = look;
  const { ports, stage, claims, options } = run;
  const { holder, mode, remaining, attended, openUntil, interrupted = () => false } = options;
  return {
    ports,
    stage,
    holder,
    instance,
    node: node.id,
    ...storedFor(look, run),
    peers: othersOf(node.id, work),
    claims,
    remaining,
    ...present({ doubleOf: work.duplicates.get(node.id), attended, openUntil }),
    dryRun: mode === 'plan',
    interrupted,
  };
}

/** What the state says of the node. */
function storedFor(
  { instance, node, observation }: ReachedNode,
  run: Run,
): Pick<NodeContext, 'obstacle' | 'fallen' | 'group' | 'record' | 'pauses'> {
  const { snapshot, groups } = run;
  if (snapshot.kind === 'unavailable') return { obstacle: snapshot.why, pauses: NO_PAUSES };
  const group = groups.get(instance.found?.group ?? '');
  const isPeer = (fall: { readonly node: string }) => fall.node !== node.id;
  return {
    pauses: snapshot.pauses,
    ...present({
      obstacle: snapshot.obstacle(instance.id, node.id),
      fallen: group ? group.fallen.find(isPeer) : crashedPeer(instance, node.id, snapshot, run),
      group,
      record: recordFor(node.id, observation.runId, snapshot),
    }),
  };
}

/** Of this process, wherever it was then; else of its address. */
export function recordFor(node: string, runId: string | undefined, { records }: State): HeldRecord | undefined {
  return records.find(({ record }) => record.runId === runId) ?? records.find(({ record }) => record.node === node);
}

function othersOf(own: string, { nodes, duplicates }: InstanceWork): readonly Peer[] {
  return nodes
    .filter(({ node }) => node.id !== own)
    .map((look) => ({
      node: look.node.id,
      ...('observation' in look && { replication: look.observation.replication }),
      ...(duplicates.has(look.node.id) && { isDouble: true }),
    }));
}

/**
 * The peer that crashed last, also in this very tick, whose falls are in no history yet. The node's own crash is another rule: it is denied for
 * longer, and for its version only.
 */
function crashedPeer({ nodes }: InstanceConfig, own: string, state: State, { claims }: Run): NodeContext['fallen'] {
  const peers = nodes.filter(({ id }) => id !== own);
  const falls = claims.seen().falls.filter(({ node }) => peers.some(({ id }) => id === node));
  return peers
    .flatMap(({ id: node }) => {
      const { crashed } = state.historyOf(node);
      return crashed === undefined ? [] : [{ node, at: crashed.at }];
    })
    .concat(falls)
    .toSorted((a, b) => b.at - a.at)[0];
}
