import type { InstanceConfig } from '../../core/config/schema.ts';
import { isHealthy } from '../../core/diagnosis/diagnose.ts';
import type { Finding } from '../../core/domain/diagnosis.ts';
import { engineText } from '../../core/domain/engine.ts';
import { latestIn, type Outcome, planIn, problemIn, statusOf, verdictIn } from '../../core/domain/outcome.ts';
import { pauseText } from '../../core/format/pause.ts';
import { countText, percentText } from '../../core/format/units.ts';
import { wrapText } from '../../core/format/wrap.ts';
import { findingText } from '../../core/reporting/wording/finding.ts';
import { healthyText } from '../../core/reporting/wording/limit.ts';
import { planText } from '../../core/reporting/wording/plan.ts';
import { noticeText, verdictText } from '../../core/reporting/wording/result.ts';
import { pictureLines } from './picture.ts';
import type { Style, Tone } from './style.ts';

export const COLUMNS = 100;
const LABEL_COLUMNS = 9;

/** One outcome for a terminal of 100 columns: who, where its memory goes, what was found, decided, done and returned. */
export function outcomeLines(outcome: Outcome, style: Style, instance?: InstanceConfig): readonly string[] {
  return [...headerLines(outcome, style), ...bodyLines(outcome, style, instance)];
}

/** Without the header, for a second step on the same node: its picture was drawn with the first. */
export function stepLines(outcome: Outcome, style: Style, instance?: InstanceConfig): readonly string[] {
  return [...decisionLines(outcome, style, instance), ...resultLines(outcome, style)];
}

function headerLines(outcome: Outcome, { paint }: Style): readonly string[] {
  const { instance, node, leased } = outcome;
  const observation = latestIn(outcome)?.observation;
  const facts = [
    ...(observation ? [engineText(observation.engine)] : []),
    ...(observation && observation.replication.role !== 'unknown' ? [observation.replication.role] : []),
    ...loadTexts(outcome),
    ...(leased ? ['defrag by Offpeak'] : []),
  ];
  const [first = '', ...more] = wrapText(
    `${instance} ${node}${facts.length > 0 ? '  ' : ''}${facts.join(', ')}`,
    COLUMNS,
  );
  return [paint('strong', first), ...more];
}

function loadTexts(outcome: Outcome): readonly string[] {
  const { opsPerSecond, mainThreadCpu } = 'opsPerSecond' in outcome || 'mainThreadCpu' in outcome ? outcome : {};
  return [
    ...(opsPerSecond === undefined ? [] : [`${countText(opsPerSecond)} commands/s`]),
    ...(mainThreadCpu === undefined ? [] : [`main thread ${percentText(mainThreadCpu)}`]),
  ];
}

function bodyLines(outcome: Outcome, style: Style, instance?: InstanceConfig): readonly string[] {
  return [
    ...pictureLines(outcome, style, instance),
    ...oddLines(outcome, style),
    // While it runs, each tick has the same to say: the bars and the plan are enough.
    ...(isRunning(outcome) ? [] : findingsLines(outcome, style)),
    ...pauseLines(outcome, style, instance),
    ...stepLines(outcome, style, instance),
  ];
}

/** One line, where there is nothing that a person or an action should do something about. */
function findingsLines({ before }: Outcome, style: Style): readonly string[] {
  if (!before) return [];
  const { diagnosis } = before;
  if (isHealthy(diagnosis)) return labelled('found', healthyText(diagnosis), style, 'good');
  return diagnosis.findings.flatMap((finding) => findingLines(finding, style));
}

/** What was not believed must not be missing without a word. */
function oddLines({ before }: Outcome, style: Style): readonly string[] {
  const odd = before?.observation.oddFields ?? [];
  return odd.flatMap(({ name, printed }) => {
    const values = printed.map((value) => JSON.stringify(value)).join(' and ');
    return labelled('note', `INFO prints ${name} as ${values}: this cannot be right, and is ignored`, style, 'warning');
  });
}

/** Where the plan does not speak of it: nothing to do, or only checked. */
function pauseLines(outcome: Outcome, style: Style, instance?: InstanceConfig): readonly string[] {
  const { pause } = outcome;
  if (!pause || planIn(outcome)?.reason === 'paused') return [];
  const text = pauseText(pause, { timezone: instance?.timezone, now: latestIn(outcome)?.observation.at });
  return labelled('note', text, style, 'warning');
}

function isRunning(outcome: Outcome): boolean {
  const plan = planIn(outcome);
  return plan?.kind === 'skip' && plan.reason === 'defragmenting';
}

const FINDING_TONES: Partial<Record<Finding['kind'], Tone>> = {
  'near-limit': 'bad',
  'peak-over-limit': 'bad',
  maxmemory: 'warning',
  'rss-below-used': 'warning',
  impossible: 'warning',
};

function findingLines(finding: Finding, style: Style): readonly string[] {
  return labelled('found', findingText(finding), style, FINDING_TONES[finding.kind]);
}

function decisionLines(outcome: Outcome, style: Style, instance?: InstanceConfig): readonly string[] {
  const plan = planIn(outcome);
  if (!plan) return [];
  const isDone = statusOf(outcome) === 'acted';
  const now = latestIn(outcome)?.observation.at;
  const text = planText(plan, instance?.timezone, { now, diagnosis: outcome.before?.diagnosis });
  return labelled(isDone ? 'done' : 'plan', text, style, plan.kind === 'act' ? 'strong' : undefined);
}

/** By the kind of the problem: a server that refuses the password has replied. */
const PROBLEM_LABELS: Readonly<Record<string, string>> = {
  unreachable: 'no reply',
  timeout: 'no reply',
  'wrong-credentials': 'login',
  refused: 'refused',
  tls: 'TLS',
  'not-redis': 'no Redis',
  'not-reached': 'no time',
  'not-data-node': 'no data',
  'config-problem': 'config',
};

function resultLines(outcome: Outcome, style: Style): readonly string[] {
  const { notices } = outcome;
  const [verdict, problem] = [verdictIn(outcome), problemIn(outcome)];
  return [
    ...(verdict
      ? labelled('result', verdictText(verdict), style, verdict.kind === 'improved' ? 'good' : 'warning')
      : []),
    ...notices.flatMap((notice) => labelled('note', noticeText(notice), style, 'warning')),
    ...(problem ? labelled(PROBLEM_LABELS[problem.kind] ?? 'failed', problem.message, style, 'bad') : []),
  ];
}

/** Wrapped first, painted afterwards: colour codes have no columns. */
function labelled(label: string, text: string, { paint }: Style, tone?: Tone): readonly string[] {
  const lines = wrapText(text, COLUMNS - LABEL_COLUMNS - 2);
  return lines.map((line, index) => {
    const head = (index === 0 ? label : '').padEnd(LABEL_COLUMNS);
    return `  ${paint('faint', head)}${tone ? paint(tone, line) : line}`;
  });
}
