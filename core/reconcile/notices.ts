import { type NodeContext, outcomeOf, rediagnosed } from '../actions/context.ts';
import { type OwnSettings, ownSettings, remedy } from '../actions/defrag/own-settings.ts';
import { logged } from '../actions/new-lease.ts';
import { isActiveDefragOn } from '../diagnosis/active-defrag.ts';
import type { NodeHistory } from '../domain/node-history.ts';
import type { Notice } from '../domain/notice.ts';
import type { Observation } from '../domain/observation.ts';
import type { ActionOutcome, Observed } from '../domain/outcome.ts';
import type { Facts, Plan } from '../domain/plan.ts';
import { holderText } from '../format/holder.ts';
import { settingsRead } from '../format/setting-forms.ts';
import { historyFor } from '../state/history-placement.ts';
import { updateHistory } from '../state/node-history.ts';
import { leaseNow } from './leftover-settings.ts';

/** The outcome with what has to be reported once for each run of the server; that it was reported is remembered. */
export async function reported(
  context: NodeContext,
  facts: Facts,
  skipped: Plan,
  remembered: NodeHistory,
  more: readonly Notice[] = [],
): Promise<Observed> {
  const taken = await takenMeanwhile(context, facts.observation);
  if (taken) return outcomeOf(context, facts, taken, { leased: true, notices: more });
  const { notices, memory } = newNotices(context, facts, skipped);
  const isOwn = skipped.reason === 'foreign-defrag' && handOn(context, facts.observation) !== undefined;
  const said: Plan = isOwn ? { kind: 'skip', reason: 'left-on' } : skipped;
  const outcome = outcomeOf(context, rediagnosed(facts), said, { notices: [...notices, ...more] });
  if (!context.dryRun && isNew(memory, remembered)) {
    await context.announce([outcome]);
    await noteReported(context, memory, facts.observation);
  }
  return outcome;
}

/** The same beside a purge, which a person's defrag does not keep from being done. The outcome itself is enqueued already. */
export async function withNotices(
  context: NodeContext,
  facts: Facts,
  agreed: Plan,
  outcome: ActionOutcome,
): Promise<ActionOutcome> {
  const { notices, memory } = newNotices(context, facts, agreed);
  if (notices.length === 0) return outcome;
  const { instance, node, leased, after } = outcome;
  await context.announce([{ kind: 'observed', instance, node, leased, before: after, notices }]);
  await noteReported(context, memory, facts.observation).catch(logged(context, 'not remembered'));
  return { ...outcome, notices: [...outcome.notices, ...notices] };
}

function newNotices(
  context: NodeContext,
  facts: Facts,
  decided: Plan,
): { readonly notices: readonly Notice[]; readonly memory: NodeHistory } {
  const standing = standingNotices(context, facts, decided).map((notice) => ({
    notice,
    name: nameOf(notice, facts.now),
  }));
  const before = facts.memory.notified ?? [];
  return {
    notices: standing.flatMap(({ notice, name }) => (before.includes(name) ? [] : [notice])),
    memory: { ...facts.memory, notified: standing.map(({ name }) => name) },
  };
}

/** The name under which it counts as reported: once for each run of the server; what a person has to fix, once a day. */
function nameOf({ kind }: Notice, now: number): string {
  return kind === 'left-on' ? `${kind} ${new Date(now).toISOString().slice(0, 10)}` : kind;
}

/** Since this job has read the leases, another job may have taken one and switched defrag on: then it is not foreign. */
async function takenMeanwhile(context: NodeContext, observation: Observation): Promise<Plan | undefined> {
  // A second address of a server is only watched, whatever is under way at the first one.
  if (context.doubleOf !== undefined) return undefined;
  if (!isActiveDefragOn(observation) && !handOn(context, observation)) return undefined;
  const lease = await leaseNow(context.ports, context.node, observation.runId);
  if (!lease) return undefined;
  const blockers = [{ kind: 'peer-acting', peer: holderText(lease.holder) }] as const;
  return { kind: 'skip', reason: 'peer-acting', blockers, until: lease.busyUntil };
}

function standingNotices(context: NodeContext, { observation, memory }: Facts, skipped: Plan): readonly Notice[] {
  const isUnsupported =
    memory.defragSupport === 'unsupported' || (skipped.kind === 'skip' && skipped.reason === 'unsupported');
  const double =
    skipped.kind === 'skip' ? skipped.blockers?.find((blocker) => blocker.kind === 'same-server') : undefined;
  return [
    ...(double ? [{ kind: 'same-server', as: double.as } as const] : switchNotices(context, observation)),
    ...(isUnsupported ? [{ kind: 'defrag-unsupported' } as const] : []),
  ];
}

/** A foreign defrag, or Offpeak's own of which neither a lease nor a record is left. */
export function switchNotices(context: Pick<NodeContext, 'record'>, observation: Observation): readonly Notice[] {
  const hand = handOn(context, observation);
  if (hand) {
    const names = Object.keys(hand.standing);
    const prior =
      hand.by === 'record' ? context.record && settingsRead(context.record.record.prior).settings : undefined;
    return [{ kind: 'left-on', standing: hand.standing, typed: remedy(names, prior) }];
  }
  return isActiveDefragOn(observation) ? [{ kind: 'foreign-defrag' }] : [];
}

function handOn({ record }: Pick<NodeContext, 'record'>, observation: Observation): OwnSettings | undefined {
  return ownSettings(observation, record?.record);
}

async function noteReported(
  { ports, node }: NodeContext,
  { defragSupport, notified }: NodeHistory,
  observation: Observation,
): Promise<void> {
  await updateHistory(ports.store, node, (stored) => ({
    ...historyFor(observation, stored),
    ...(defragSupport && { defragSupport }),
    notified: notified ?? [],
  }));
}

/** A healthy node costs no write. */
function isNew(memory: NodeHistory, remembered: NodeHistory): boolean {
  return (
    memory.defragSupport !== remembered.defragSupport ||
    (memory.notified ?? []).join() !== (remembered.notified ?? []).join() ||
    (memory.runId !== remembered.runId && remembered.runId !== undefined)
  );
}
