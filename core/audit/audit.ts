import type { Audited } from '../domain/audit.ts';
import { ACCESS_RULES } from './access-rules.ts';
import { ALLOCATOR_RULES } from './allocator-rules.ts';
import { DEFRAG_RULES } from './defrag-rules.ts';
import { DEFRAG_SETTINGS_RULES } from './defrag-settings-rules.ts';
import type { NodeFacts, Rule, StageFacts } from './facts.ts';
import { MEMORY_RULES } from './memory-rules.ts';
import { SERVER_RULES, VERSION_RULES } from './server-rules.ts';
import { CONFIGURED_RULES, STAGE_RULES } from './stage-rules.ts';

/** The one table of what is asked of a node, in the order of the answers. MEMORY DOCTOR comes last: it refers to the others. */
export const NODE_RULES: readonly Rule<NodeFacts>[] = [
  ...VERSION_RULES,
  ...MEMORY_RULES,
  ...DEFRAG_RULES,
  ...DEFRAG_SETTINGS_RULES,
  ...SERVER_RULES,
  ...ACCESS_RULES,
  ...CONFIGURED_RULES,
  ...ALLOCATOR_RULES,
];

export { STAGE_RULES };

/** Every rule answers: a finding, fine, could not be known, or does not arise. Pure. */
export function auditNode(facts: NodeFacts): readonly Audited[] {
  return auditBy(NODE_RULES, facts);
}

/** The same of a stage. Only with a config. */
export function auditStage(facts: StageFacts): readonly Audited[] {
  return auditBy(STAGE_RULES, facts);
}

function auditBy<Facts>(rules: readonly Rule<Facts>[], facts: Facts): readonly Audited[] {
  const found = new Set<string>();
  return rules.map(({ id, title, judge }) => {
    const answer = judge(facts, found);
    if (answer.kind === 'finding') found.add(id);
    return { rule: id, title, answer };
  });
}
