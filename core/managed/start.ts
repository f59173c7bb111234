import { leaseEnd } from '../actions/defrag/propose.ts';
import { worthOf } from '../diagnosis/prospect.ts';
import type { Facts } from '../domain/plan.ts';
import { BUSY, SHORT_WAIT } from '../domain/timings.ts';
import { bytesText } from '../format/units.ts';
import type { GroupReport } from '../ports/parameter-groups.ts';
import { reasonText } from '../reporting/wording/plan.ts';
import { type ManagedGroup, refusals } from './group.ts';
import { firstCheck } from './judge.ts';
import type { GroupLease, HeldGroup } from './lease.ts';
import { cycleOf, planOf, promised } from './node.ts';
import { crowded, roomText } from './room.ts';
import { announce, type GroupRun, reportOf, write } from './run.ts';
import { type GroupValues, isOn, restorationOf, valuesFor } from './values.ts';
import { groupText, stallText, valuesText } from './words.ts';

/** A group without a lease. Undefined: it would return too little. @throws {DiscoveryFailure} {StateUnavailable} {AnotherJob} */
export async function startGroup(run: GroupRun, group: ManagedGroup): Promise<GroupReport | undefined> {
  const nodes = group.instances.flatMap((instance) =>
    instance.nodes.map(({ id }) => ({ instance: instance.id, node: id })),
  );
  const seen = nodes.map(({ node }) => run.seen(node));
  const known = seen.filter((facts) => facts !== undefined);
  const predicted = known.reduce((sum, facts) => sum + promised(facts), 0);
  if (predicted < Math.max(...group.instances.map(({ defrag }) => worthOf(defrag)))) return undefined;
  const nothing = (why: readonly string[]): GroupReport => ({
    ...group,
    line: `${groupText(group)}: not switched, though ${bytesText(predicted)} could return: ${why.join('; ')}`,
    leased: [],
  });
  const unread = nodes.flatMap(({ node }) => run.obstacle(node) ?? []);
  const early = [...new Set(unread), ...silent(nodes, seen), ...known.flatMap(obstacles), ...crowded(known)];
  // Outside of its windows AWS is not asked at every tick. A plan says what stands in its way at another time.
  if (early.length > 0 && run.mode === 'act') return nothing(early);
  const [users, parameters] = await Promise.all([run.groups.users(group), run.groups.read(group)]);
  const values = valuesFor(parameters, Math.min(...known.map((facts) => cycleOf(facts).cpu)));
  const refused = [...refusals(group, users), ...('refused' in values ? values.refused : [])];
  if (refused.length > 0 || early.length > 0 || 'refused' in values) return nothing([...refused, ...early]);
  const stall = Math.max(...known.map((facts) => cycleOf(facts).stall));
  const what = `active defrag on ${nodes.length} nodes of ${[...new Set(users.map(({ cluster }) => cluster))].join(', ')} at once, ${bytesText(predicted)} predicted back, by ${valuesText(values.values)}; ${stallText(stall)}`;
  const facts = await secondChecks(run, nodes);
  const late = [...silent(nodes, facts), ...facts.flatMap((one) => (one ? obstacles(one) : []))];
  if (late.length > 0) return nothing(late);
  if (run.mode === 'plan') return { ...group, line: `${groupText(group)}: would start ${what}`, leased: [] };
  if (run.isOver()) return nothing(['the job was interrupted']);
  const looked = facts.filter((one) => one !== undefined);
  const clusters = [...new Set(users.map(({ cluster }) => cluster))];
  const lease = leaseOf(run, group, { facts: looked, values, clusters, predicted, stall });
  const taken = await run.claim(lease, looked);
  return taken.length > 0 ? nothing([roomText(taken, nodes.length)]) : await begin(run, lease, what);
}

async function begin(run: GroupRun, lease: GroupLease, what: string): Promise<GroupReport> {
  const held = await write(run, lease);
  await run.groups.set(lease, lease.applied);
  if (!isOn(restorationOf(lease.applied, lease.prior, await run.groups.read(lease))))
    return reportOf(lease, `${groupText(lease)}: the change is not to be seen yet`);
  const started: HeldGroup = await write(run, { ...lease, phase: 'running', busyUntil: run.ports.clock.now() }, held);
  await announce(run, started.lease, { kind: 'started' });
  return reportOf(lease, `${groupText(lease)}: started ${what}`);
}

interface Terms {
  readonly facts: readonly Facts[];
  readonly values: GroupValues;
  readonly clusters: readonly string[];
  readonly predicted: number;
  readonly stall: number;
}

function leaseOf(run: GroupRun, { service, region, group }: ManagedGroup, terms: Terms): GroupLease {
  const { facts, values, clusters, predicted, stall } = terms;
  const acquiredAt = run.ports.clock.now();
  return {
    ...{ service, region, group, phase: 'taking', clusters, predicted, stall, cpu: values.cpu },
    nodes: facts.map((one) => ({ ...firstCheck(one.policy.id, one.observation), predicted: promised(one) })),
    prior: values.prior,
    applied: values.values,
    acquiredAt,
    expiresAt: Math.min(...facts.map(leaseEnd)),
    holder: run.holder,
    busyUntil: acquiredAt + BUSY,
    ...(run.byHand && { byHand: true }),
  };
}

/** Two checks with a pause between them measure the load. */
async function secondChecks(run: GroupRun, nodes: readonly { readonly node: string }[]) {
  await run.ports.clock.pause(SHORT_WAIT);
  return await Promise.all(nodes.map(({ node }) => run.look(node, { examined: true })));
}

function silent(nodes: readonly { readonly node: string }[], facts: readonly (Facts | undefined)[]): readonly string[] {
  return nodes.flatMap(({ node }, index) => (facts[index] ? [] : [`${node} does not answer`]));
}

/** Why one node keeps the group from being switched. A node with little to gain is taken along. */
function obstacles(facts: Facts): readonly string[] {
  const { observation, policy, now, diagnosis } = facts;
  const plan = planOf(facts);
  return plan.kind === 'skip' ? [`${observation.node}: ${reasonText(plan, policy.timezone, { now, diagnosis })}`] : [];
}
