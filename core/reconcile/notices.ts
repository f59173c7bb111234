import { type NodeContext, outcomeOf, rediagnosed } from '../actions/context.ts';
import { type OwnSettings, ownSettings, remedy } from '../actions/defrag/own-settings.ts';
import { expected } from '../actions/new-lease.ts';
import { isActiveDefragOn } from '../diagnosis/active-defrag.ts';
import type { NodeHistory } from '../domain/node-history.ts';
import type { Observation } from '../domain/observation.ts';
import type { ActionOutcome, Notice, Observed } from '../domain/outcome.ts';
import type { Facts, Plan } from '../domain/plan.ts';
import { settingsRead } from '../format/setting-forms.ts';
import { historyFor } from '../state/history-placement.ts';
import { updateHistory } from '../state/node-history.ts';
import { leaseNow } from './leftover-settings.ts';

/** Says what must be said once for each run of the server, and remembers that it was. */
export async function told(
  context: NodeContext,
  facts: Facts,
  skipped: Plan,
  remembered: NodeHistory,
  more: readonly Notice[] = [],
): Promise<Observed> {
  const taken = await takenMeanwhile(context, facts.observation);
  if (taken) return outcomeOf(context, facts, taken, { leased: true, notices: more });
  const { notices, memory } = newsOf(context, facts, skipped);
  const isOurs = skipped.reason === 'foreign-defrag' && handOn(context, facts.observation) !== undefined;
  const said: Plan = isOurs ? { kind: 'skip', reason: 'left-on' } : skipped;
  const outcome = outcomeOf(context, rediagnosed(facts), said, { notices: [...notices, ...more] });
  if (!context.dryRun && isNews(memory, remembered)) {
    await context.announce([outcome]);
    await noteNews(context, memory, facts.observation);
  }
  return outcome;
}

/** The same beside a purge: a human's defrag does not keep it from being done. What was done itself is entrusted already. */
export async function withNews(
  context: NodeContext,
  facts: Facts,
  agreed: Plan,
  outcome: ActionOutcome,
): Promise<ActionOutcome> {
  const { notices, memory } = newsOf(context, facts, agreed);
  if (notices.length === 0) return outcome;
  const { instance, node, leased, after } = outcome;
  await context.announce([{ kind: 'observed', instance, node, leased, before: after, notices }]);
  await noteNews(context, memory, facts.observation).catch((error: unknown) =>
    context.ports.log.warn('not remembered', {
      instance: context.instance.id,
      node: context.node,
      error: expected(error),
    }),
  );
  return { ...outcome, notices: [...outcome.notices, ...notices] };
}

function newsOf(
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

/** The name under which it counts as reported: once for each run of the server; what a person has to mend, once a day. */
function nameOf({ kind }: Notice, now: number): string {
  return kind === 'left-on' ? `${kind} ${new Date(now).toISOString().slice(0, 10)}` : kind;
}

/** Since we read the leases, another job may have taken one and switched defrag on: then it is not a stranger's. */
async function takenMeanwhile(context: NodeContext, observation: Observation): Promise<Plan | undefined> {
  // A second address of a server is only watched, whatever is under way at the first one.
  if (context.doubleOf !== undefined) return undefined;
  if (!isActiveDefragOn(observation) && !handOn(context, observation)) return undefined;
  const lease = await leaseNow(context.ports, context.node, observation.runId);
  if (!lease) return undefined;
  const blockers = [{ kind: 'peer-acting', peer: lease.holder }] as const;
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

/** Somebody's defrag, or our own of which neither a lease nor a record is left. */
function switchNotices(context: NodeContext, observation: Observation): readonly Notice[] {
  const hand = handOn(context, observation);
  if (hand) {
    const names = Object.keys(hand.standing);
    const prior =
      hand.by === 'record' ? context.record && settingsRead(context.record.record.prior).settings : undefined;
    return [{ kind: 'left-on', standing: hand.standing, typed: remedy(names, prior) }];
  }
  return isActiveDefragOn(observation) ? [{ kind: 'foreign-defrag' }] : [];
}

function handOn({ record }: NodeContext, observation: Observation): OwnSettings | undefined {
  return ownSettings(observation, record?.record);
}

async function noteNews(
  { ports, node }: NodeContext,
  { defragSupport, notified: news }: NodeHistory,
  observation: Observation,
): Promise<void> {
  await updateHistory(ports.store, node, (stored) => ({
    ...historyFor(observation, stored),
    ...(defragSupport && { defragSupport }),
    notified: news ?? [],
  }));
}

/** A healthy node costs no write. */
function isNews(memory: NodeHistory, remembered: NodeHistory): boolean {
  return (
    memory.defragSupport !== remembered.defragSupport ||
    (memory.notified ?? []).join() !== (remembered.notified ?? []).join() ||
    (memory.runId !== remembered.runId && remembered.runId !== undefined)
  );
}
