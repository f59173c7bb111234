import {
  type Answer,
  type Audited,
  type AuditSeverity,
  type Change,
  isFault,
  SEVERITIES,
} from '../../core/domain/audit.ts';
import { engineText } from '../../core/domain/engine.ts';
import { wrapText } from '../../core/format/wrap.ts';
import type { FleetAudit } from '../../core/reconcile/audit-fleet.ts';
import type { NodeAudit } from '../../core/reconcile/audit-node.ts';
import { COLUMNS } from './outcome.ts';
import type { Style, Tone } from './style.ts';

const TONES: Readonly<Record<AuditSeverity, Tone>> = { critical: 'bad', warning: 'warning', advice: 'faint' };

const INDENT = 4;

/** A finding of more nodes than this is read as one of the fleet: `--full` names the others. */
const MOST_NAMED = 12;

/** An answer with what it is about: a node, or the stage. */
interface Placed extends Audited {
  readonly about: string;
}

interface Look extends Style {
  readonly isFull: boolean;
}

/** Findings by severity, each once with its nodes and what to change; then a line for each node. `isFull`: every answer of every rule. */
export function auditLines(
  audit: FleetAudit,
  style: Style,
  { isFull }: { readonly isFull: boolean },
): readonly string[] {
  const placed = placedIn(audit);
  const lines = [
    ...SEVERITIES.flatMap((severity) => severityLines(severity, placed, { ...style, isFull })),
    ...audit.nodes.flatMap((node) => nodeLines(node, audit.isConfigured, style)),
    ...(isFull ? restLines(placed, style) : []),
  ];
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** Whether something is wrong: advice is not. */
export function hasFaults({ nodes, stage }: FleetAudit): boolean {
  return [...nodes.flatMap(({ answers }) => answers), ...stage].some(({ answer }) => isFault(answer));
}

function placedIn({ nodes, stage, isConfigured }: FleetAudit): readonly Placed[] {
  const ofNodes = nodes.flatMap((node) => node.answers.map((one) => ({ ...one, about: nameOf(node, isConfigured) })));
  return [...ofNodes, ...stage.map((one) => ({ ...one, about: 'the stage' }))];
}

/** The ids of addresses are made up. */
function nameOf({ instance, node }: NodeAudit, isConfigured: boolean): string {
  return isConfigured ? `${instance} ${node}` : node;
}

function severityLines(severity: AuditSeverity, placed: readonly Placed[], look: Look): readonly string[] {
  const found = placed.filter(({ answer }) => answer.kind === 'finding' && answer.severity === severity);
  if (found.length === 0) return [];
  const alike = Map.groupBy(found, ({ rule, answer }) => JSON.stringify([rule, answer]));
  return [
    look.paint(TONES[severity], severity),
    ...[...alike.values()].flatMap((ones) => findingLines(ones, look)),
    '',
  ];
}

/** What several nodes have in common is said once: a fleet of one kind would say it on every node. */
function findingLines(alike: readonly Placed[], { paint, isFull }: Look): readonly string[] {
  const [first] = alike;
  if (first?.answer.kind !== 'finding') return [];
  const { evidence, remedy, changes = [] } = first.answer;
  const most = isFull ? alike.length : MOST_NAMED;
  const names = alike.slice(0, most).map(({ about }) => about);
  const more = alike.length > most ? ` and ${alike.length - most} more (--full names them)` : '';
  return [
    `  ${paint('strong', first.rule)}  ${alike.length === 1 ? first.about : `${alike.length} nodes`}`,
    ...(alike.length === 1 ? [] : indented(`${names.join(', ')}${more}`)),
    ...indented(evidence),
    ...indented(`Do: ${remedy}`),
    ...changes.flatMap((change) => changeLines(change).map((line) => `${' '.repeat(INDENT + 2)}${line}`)),
  ];
}

/** As it is typed or written; a setting has two places, since CONFIG SET does not outlive a restart. */
export function changeLines({ kind, line }: Change): readonly string[] {
  switch (kind) {
    case 'setting':
      // Redis has a few that only its file sets.
      return [`CONFIG SET ${line}`, `in redis.conf: ${line}`];
    case 'config':
      return [`in Offpeak's config: ${line}`];
    case 'environment':
      return [`in the server's environment: ${line}`];
    case 'machine':
      return [`on its machine: ${line}`];
    case 'acl':
      return [line];
  }
}

function indented(text: string): readonly string[] {
  return wrapText(text, COLUMNS - INDENT).map((line) => `${' '.repeat(INDENT)}${line}`);
}

/** One line for a node that is well kept. Of the others, what could not be known: their findings are above. */
function nodeLines(node: NodeAudit, isConfigured: boolean, { paint }: Style): readonly string[] {
  if (!node.facts) return [];
  const { answers, facts } = node;
  const count = (kind: Answer['kind']) => answers.filter(({ answer }) => answer.kind === kind).length;
  const unknown = answers.filter(({ answer }) => answer.kind === 'unknown').map(({ rule }) => rule);
  const open = unknown.length === 0 ? '' : `; could not be known: ${unknown.join(', ')} (--full says why)`;
  const engine = engineText(facts.observation.engine);
  const findings = count('finding');
  const verdict =
    findings === 0
      ? `is well kept: ${count('fine')} rules hold`
      : `has ${findings} ${findings === 1 ? 'finding' : 'findings'}, and ${count('fine')} rules hold`;
  const [first = '', ...more] = wrapText(`${nameOf(node, isConfigured)} (${engine}) ${verdict}${open}`, COLUMNS);
  return [paint(findings === 0 ? 'good' : 'strong', first), ...more.map((line) => `  ${line}`)];
}

/** All that is not a finding, in the order of the rules. */
function restLines(placed: readonly Placed[], { paint }: Style): readonly string[] {
  const rest = placed.filter(({ answer }) => answer.kind !== 'finding');
  return [...Map.groupBy(rest, ({ about }) => about)].flatMap(([about, those]) => [
    '',
    paint('strong', about),
    ...those.flatMap(({ rule, answer }) => {
      const said = answer.kind === 'fine' ? answer.evidence : 'why' in answer ? answer.why : '';
      return indented(`${rule}: ${WORDS[answer.kind]}: ${said}`);
    }),
  ]);
}

const WORDS: Readonly<Record<Answer['kind'], string>> = {
  fine: 'fine',
  finding: 'a finding',
  unknown: 'could not be known',
  'not-asked': 'does not apply',
};
