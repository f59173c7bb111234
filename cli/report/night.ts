import type { StepDocument, TickDocument } from './documents.ts';

/** What came of one node over all ticks of a report. */
export interface NodeNight {
  readonly instance: string;
  readonly node: string;
  /** The first and the last step in which its memory was seen. */
  readonly first?: StepDocument;
  readonly last?: StepDocument;
  /** Why it was not seen in the last tick that asked it. */
  readonly problem?: string;
  readonly actions: readonly Done[];
  /** When Offpeak's defrag was on. */
  readonly spans: readonly Span[];
}

/** An action with its result. */
interface Done {
  /** Epoch ms. */
  readonly at: number;
  readonly verdict: NonNullable<StepDocument['verdict']>;
}

/** Epoch ms. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

export interface Night {
  readonly stage: string;
  readonly from: number;
  readonly until: number;
  readonly ticks: number;
  /** Those with an action first, then by what can be returned. */
  readonly nodes: readonly NodeNight[];
  /** What the job said of the whole stage in its last tick. */
  readonly remarks: readonly string[];
  readonly alerts: readonly { readonly severity: string; readonly title: string }[];
}

/** Undefined without a tick. */
export function nightOf(ticks: readonly TickDocument[]): Night | undefined {
  const [first, last] = [ticks[0], ticks.at(-1)];
  if (!first || !last) return undefined;
  const steps = ticks.flatMap(({ at, outcomes }) => outcomes.map((step) => ({ at: Date.parse(at), step })));
  const nodes = [...Map.groupBy(steps, ({ step }) => step.node)].map(([node, seen]) => nodeNight(node, seen));
  const rank = ({ actions, spans, last }: NodeNight) =>
    (actions.length + spans.length > 0 ? 1e18 : 0) + (last?.returnable ?? 0);
  return {
    stage: last.stage,
    from: Date.parse(first.at),
    until: Date.parse(last.at),
    ticks: ticks.length,
    nodes: nodes.toSorted((a, b) => rank(b) - rank(a)),
    remarks: last.remarks,
    alerts: ticks.flatMap(({ alerts }) => alerts),
  };
}

function nodeNight(node: string, seen: readonly { readonly at: number; readonly step: StepDocument }[]): NodeNight {
  const known = seen.filter(({ step }) => step.diagnosis?.layers !== undefined || step.memory?.rss !== undefined);
  const [first, last] = [known[0]?.step, known.at(-1)?.step];
  const problem = seen.at(-1)?.step.problem?.message;
  return {
    instance: seen[0]?.step.instance ?? '',
    node,
    ...(first && { first }),
    ...(last && { last }),
    ...(problem !== undefined && { problem }),
    actions: seen.flatMap(({ at, step }) => (step.verdict ? [{ at, verdict: step.verdict }] : [])),
    spans: spansOf(seen),
  };
}

/** A lease that is seen in several ticks in a row is one span, to the tick that no longer has it. */
function spansOf(seen: readonly { readonly at: number; readonly step: StepDocument }[]): readonly Span[] {
  const spans: Span[] = [];
  let from: number | undefined;
  for (const { at, step } of seen) {
    if (step.leased) from ??= at;
    else if (from !== undefined) {
      spans.push({ from, until: at });
      from = undefined;
    }
  }
  const end = seen.at(-1)?.at;
  return from === undefined || end === undefined ? spans : [...spans, { from, until: end }];
}

/** Offpeak's defrag is on in the last tick. */
export function isOn({ last }: NodeNight): boolean {
  return last?.leased === true;
}

/** A defrag may be longer in a thousandth of its time; a purge never. */
export function isBroken({ stall, promisedStall, beyond = 1 }: Done['verdict']): boolean {
  return stall > promisedStall && beyond > 0.001;
}

/** What a defrag returned is measured after the purge that follows it, in the same tick: that purge is not counted once more. */
function counted(actions: readonly Done[]): readonly Done[] {
  const defrags = new Set(actions.flatMap(({ at, verdict }) => (verdict.action === 'defrag' ? [at] : [])));
  return actions.filter(({ at, verdict }) => verdict.action === 'defrag' || !defrags.has(at));
}

/** Bytes of RSS that the actions on one node have returned. */
export function returnedBy(actions: readonly Done[]): number {
  return counted(actions).reduce((sum, { verdict }) => sum + verdict.reclaimed, 0);
}

/** Sums over all actions. */
export function totalsOf({ nodes }: Night) {
  const verdicts = nodes.flatMap(({ actions }) => actions.map(({ verdict }) => verdict));
  return {
    actions: verdicts.length,
    acted: nodes.filter(({ actions }) => actions.length > 0).length,
    returned: nodes.reduce((sum, { actions }) => sum + returnedBy(actions), 0),
    predicted: nodes.reduce(
      (sum, { actions }) => counted(actions).reduce((all, { verdict }) => all + verdict.predicted, sum),
      0,
    ),
    broken: verdicts.filter(isBroken).length,
    on: nodes.filter(isOn).length,
    unseen: nodes.filter(({ last }) => last === undefined).length,
    returnable: nodes.reduce((total, { last }) => total + (last?.returnable ?? 0), 0),
  };
}
