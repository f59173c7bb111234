import type { StageBlocker } from '../domain/blocker.ts';
import type { Facts } from '../domain/plan.ts';
import { blockerText } from '../format/blocker.ts';
import { roomBlockers } from '../guards/stage-limits.ts';

/** In a sentence, why the stage has no place for each of these nodes. What other jobs start meanwhile, the claim before the start sees. */
export function crowded(known: readonly Facts[]): readonly string[] {
  const [stage] = known.flatMap((facts) => facts.stage ?? []);
  const nodes = known.map(({ observation }) => observation.node);
  const taken = stage ? roomBlockers(stage, nodes) : [];
  return taken.length > 0 ? [roomText(taken, nodes.length)] : [];
}

/** @param count nodes of the group */
export function roomText(taken: readonly StageBlocker[], count: number): string {
  const words = taken.map((blocker) =>
    blocker.kind === 'stage-limit'
      ? `maxDefragsAtOnce of ${blocker.limit} has no room for its ${count} nodes at once${besideText(blocker.nodes)}`
      : blockerText(blocker),
  );
  return words.join('; ');
}

function besideText(nodes: readonly string[]): string {
  return nodes.length === 0 ? '' : `, beside ${nodes.join(', ')}`;
}
