import { type Answer, type Audited, SEVERITIES } from '../../core/domain/audit.ts';
import { isoText } from '../../core/format/units.ts';
import type { FleetAudit } from '../../core/reconcile/audit-fleet.ts';
import type { NodeAudit } from '../../core/reconcile/audit-node.ts';
import { JSON_SCHEMA } from './json.ts';

/** An audit as one JSON document on one line; docs/cli-json.md lists every field. `stage`: its name, where a config was audited. */
export function auditJson(audit: FleetAudit, stage?: string): string {
  const { at, nodes } = audit;
  return JSON.stringify({
    schema: JSON_SCHEMA,
    at: isoText(at),
    stage,
    nodes: nodes.map(nodeDocument),
    answers: stage === undefined ? undefined : audit.stage.map(answerDocument),
    totals: totalsOf([...nodes.flatMap(({ answers }) => answers), ...audit.stage]),
  });
}

function nodeDocument({ instance, node, facts, problem, answers }: NodeAudit) {
  const { name, version } = facts?.observation.engine ?? {};
  return {
    instance,
    node,
    engine: facts && { name, version },
    role: facts?.observation.replication.role,
    problem,
    answers: answers.map(answerDocument),
  };
}

function answerDocument({ rule, title, answer }: Audited) {
  const { kind, ...rest } = answer;
  return { rule, title, answer: kind, ...rest };
}

function totalsOf(answers: readonly Audited[]) {
  const count = (matches: (answer: Answer) => boolean) => answers.filter(({ answer }) => matches(answer)).length;
  const bySeverity = SEVERITIES.map((severity) => [
    severity,
    count((answer) => answer.kind === 'finding' && answer.severity === severity),
  ]);
  return {
    ...Object.fromEntries(bySeverity),
    fine: count(({ kind }) => kind === 'fine'),
    unknown: count(({ kind }) => kind === 'unknown'),
  };
}
