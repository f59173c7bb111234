import type { Switched, SwitchedNode } from '../actions/acting-leases.ts';
import { factsAt } from '../actions/context.ts';
import type { Config } from '../config/schema.ts';
import { EMPTY_HISTORY } from '../domain/node-history.ts';
import type { Observation } from '../domain/observation.ts';
import type { Facts } from '../domain/plan.ts';
import { present } from '../domain/present.ts';
import { fallsIn } from '../managed/falls.ts';
import type { ManagedGroup } from '../managed/group.ts';
import { type GroupLease, groupLeasesOf, type HeldGroup } from '../managed/lease.ts';
import type { GroupRun } from '../managed/run.ts';
import type { GroupReport } from '../ports/parameter-groups.ts';
import type { Ports } from '../ports/ports.ts';
import { unlessUnavailable } from '../ports/state-store.ts';
import { historyFor } from '../state/history-placement.ts';
import { GROUP_LEASE } from '../state/keys.ts';
import { readPauses } from '../state/pauses.ts';
import type { InstanceWork, Run } from './assign.ts';
import { knownContext } from './node-context.ts';
import { lookAt, type OpenNode, type ReachedNode, type UnreachedNode } from './observe-fleet.ts';
import type { Snapshot } from './snapshot.ts';

/** The leases on parameter groups as a tick finds them. */
interface HeldGroups {
  readonly held: readonly HeldGroup[];
  readonly byNode: ReadonlyMap<string, GroupLease>;
  /** False: the store cannot be read, or a document in it; then no group is started. */
  readonly isKnown: boolean;
}

/** While the store cannot be read, those that this process last knew of. */
export async function heldGroups({ store, log }: Ports, snapshot: Snapshot): Promise<HeldGroups> {
  const read =
    snapshot.kind === 'readable' ? await unlessUnavailable(store.list(GROUP_LEASE), () => undefined) : undefined;
  const unreadable: string[] = [];
  const held = groupLeasesOf(read ?? store.lastKnownLeases?.(GROUP_LEASE) ?? new Map(), (key, why) => {
    unreadable.push(key);
    log.error('the lease of a parameter group cannot be read: it is not ended', { key, error: why });
  });
  const byNode = new Map(held.flatMap(({ lease }) => lease.nodes.map(({ node }) => [node, lease] as const)));
  return { held, byNode, isKnown: read !== undefined && unreadable.length === 0 };
}

/** For the limits of the stage: all nodes of a group that is switched are under defrag. */
export function switchedNodes(
  { store, clock }: Pick<Ports, 'store' | 'clock'>,
  { held }: HeldGroups,
  looks: readonly (ReachedNode | UnreachedNode)[],
): Switched {
  const byNode = new Map(held.length === 0 ? [] : looks.map((look) => [look.node.id, look]));
  const acting = ({ lease: { nodes, holder, phase } }: HeldGroup): readonly SwitchedNode[] => {
    const isOn = phase === 'taking' || phase === 'running';
    return nodes.map(({ node, at, engine }) => ({
      ...{ node, holder, isDefrag: true },
      ...(isOn && { checked: { at, ...present({ engine }) } }),
    }));
  };
  return {
    seen: held.flatMap(acting),
    falls: held.flatMap(({ lease }) => fallsIn(lease, byNode, clock.now())),
    now: async () => {
      const garbled: string[] = [];
      const read = groupLeasesOf(await store.list(GROUP_LEASE), (key) => void garbled.push(key));
      // It may be of any nodes; one is the least.
      return [...read.flatMap(acting), ...garbled.map((key) => ({ node: key, holder: '', isDefrag: true }))];
    },
  };
}

interface Parts {
  readonly config: Config;
  /** Without `claims` it acts on no node. */
  readonly run: Omit<Run, 'claims'> & Partial<Pick<Run, 'claims'>>;
  readonly work: readonly InstanceWork[];
}

/** Parameter groups are switched after the instances: what serves many nodes waits for what serves one. */
export async function switchGroups({ held, isKnown }: HeldGroups, parts: Parts): Promise<readonly GroupReport[]> {
  const { config, run, work } = parts;
  const { options, ports, snapshot } = run;
  const isManaged = config.instances.some(({ defrag }) => defrag.through === 'parameter-group');
  if (options.mode === 'watch' || !ports.parameterGroups || (held.length === 0 && !isManaged)) return [];
  const observed = new Set(work.flatMap(({ nodes }) => nodes.map(({ node }) => node.id)));
  const named = new Set(config.instances.flatMap(({ nodes }) => nodes.map(({ id }) => id)));
  // A tick of some of its nodes knows too little: to it, the others would be silent.
  const isSeen = ({ nodes }: GroupLease) =>
    nodes.some(({ node }) => observed.has(node)) && nodes.every(({ node }) => observed.has(node) || !named.has(node));
  // Of one whose nodes are not in the fleet any more, the tick of everything: restoring needs no node.
  const isLost = ({ nodes }: GroupLease) =>
    options.scope.kind === 'fleet' && options.part?.kind !== 'batch' && !nodes.some(({ node }) => named.has(node));
  const asked = held.filter(({ lease }) => isSeen(lease) || isLost(lease));
  const isWhole = options.scope.kind === 'fleet' || options.scope.kind === 'instances';
  const isFree = isWhole && isKnown && options.release === undefined && snapshot.kind === 'readable';
  const mayStart = ({ instances }: ManagedGroup) =>
    isFree && instances.every(({ nodes }) => nodes.every(({ id }) => observed.has(id)));
  const { reconcileGroups } = await import('../managed/reconcile.ts');
  const reports = await reconcileGroups(await groupRun(parts), asked, mayStart);
  for (const { line, failed } of reports) ports.log[failed ? 'error' : 'info']('parameter group', { what: line });
  return reports;
}

async function groupRun({ config, run, work }: Parts): Promise<GroupRun> {
  const { ports, stage, options, snapshot } = run;
  if (!ports.parameterGroups) throw new TypeError('no port for parameter groups');
  const { holder, mode, release, openUntil, interrupted = () => false, remaining } = options;
  const looks = new Map(work.flatMap((one) => one.nodes.map((look) => [look.node.id, { look, one }] as const)));
  const first = (node: string) => {
    const found = looks.get(node);
    return found && 'observation' in found.look ? found.look.observation : undefined;
  };
  return {
    ...{ ports, stage, holder, instances: config.instances, groups: await ports.parameterGroups() },
    mode: mode === 'act' ? 'act' : 'plan',
    ...(release !== undefined && { release }),
    ...(openUntil !== undefined && { byHand: true as const }),
    ...(snapshot.kind === 'unavailable' && { storeIsDown: true as const }),
    isWhole: options.scope.kind === 'fleet',
    isOver: () => interrupted() || remaining() <= 0,
    // Without claims it acts on no node.
    claim: async (lease, nodes) =>
      (await run.claims?.claimAll(
        nodes.map(({ observation }) => observation),
        lease,
      )) ?? [],
    obstacle: (node) => {
      const instance = looks.get(node)?.look.instance.id ?? '';
      return snapshot.kind === 'unavailable' ? snapshot.why : snapshot.obstacle(instance, node);
    },
    seen: (node) => {
      const [found, observation] = [looks.get(node), first(node)];
      return found && observation && factsOf(found.one, observation, run);
    },
    look: async (node, { examined } = { examined: false }) => {
      const found = looks.get(node);
      if (!found) return undefined;
      const look = await lookAt(ports.open, found.look.instance, found.look.node);
      if ('problem' in look) return undefined;
      try {
        const observation = examined ? await examinedBy(look) : look.observation;
        const earlier = examined ? first(node) : undefined;
        const now = examined ? await pausedNow(run) : run;
        return factsOf(found.one, observation, now, earlier);
      } finally {
        look.session.close();
      }
    },
  };
}

async function examinedBy({ session, observation }: OpenNode): Promise<Observation> {
  return { ...observation, examined: await session.examine(observation) };
}

/** A pause that was asked for since the state was read counts. */
async function pausedNow(run: Parts['run']): Promise<Parts['run']> {
  const { snapshot, ports } = run;
  return snapshot.kind === 'readable'
    ? { ...run, snapshot: { ...snapshot, pauses: await readPauses(ports.store) } }
    : run;
}

/** The facts of a node, without the limit of shards at once: the smallest share of the group that AWS can switch is the group. */
function factsOf(
  work: InstanceWork,
  observation: Observation,
  run: Parts['run'],
  earlier?: Observation,
): Facts | undefined {
  const node = work.nodes.find((look) => look.node.id === observation.node)?.node;
  const { claims } = run;
  if (!node || !claims) return undefined;
  const { group: _, ...context } = knownContext({ instance: work.instance, node, observation }, work, {
    ...run,
    claims,
  });
  const stored = run.snapshot.kind === 'readable' ? run.snapshot.historyOf(node.id) : EMPTY_HISTORY;
  return factsAt(context, observation, { memory: historyFor(observation, stored), ...(earlier && { earlier }) });
}
