import type { Config, InstanceConfig } from '../core/config/schema.ts';
import { type Outcome, problemIn } from '../core/domain/outcome.ts';
import type { Ports } from '../core/ports/ports.ts';
import { tick } from '../core/reconcile/tick.ts';
import { noticeText } from '../core/reporting/wording/result.ts';

interface LeftOn {
  /** Servers on which Offpeak's settings are, or active defrag is, without a lease, with what to type there. */
  readonly on: readonly string[];
  readonly isOwn: boolean;
  /** Servers that did not say. */
  readonly unasked: readonly string[];
}

export const NOTHING_ON: LeftOn = { on: [], isOwn: false, unasked: [] };

/**
 * Where the state has no lease, the servers themselves are asked: it may be the wrong state (another machine, another folder, a deployed job's
 * table), and then the defrag is still on.
 */
export async function leftOn(config: Config, ports: Ports, instances: readonly InstanceConfig[]): Promise<LeftOn> {
  const ids = instances.map(({ id }) => id);
  const seen = await tick(config, ports, {
    mode: 'watch',
    holder: 'check',
    remaining: () => Number.MAX_SAFE_INTEGER,
    scope: { kind: 'instances', ids },
  });
  // A tick also speaks of leases on nodes that the config no longer names.
  const outcomes = seen.outcomes.filter(({ instance, node }) =>
    seen.instances.some(({ id, nodes }) => id === instance && nodes.some((one) => one.id === node)),
  );
  return {
    on: outcomes.flatMap((outcome) => onLines(outcome)),
    isOwn: outcomes.some(({ notices }) => notices.some(({ kind }) => kind === 'left-on')),
    unasked: [
      ...seen.undiscovered.map((id) => `${id}: not checked: its nodes could not be found`),
      ...outcomes.flatMap((outcome) => {
        const problem = problemIn(outcome);
        return problem ? [`${outcome.instance} ${outcome.node}: not checked: ${problem.message}`] : [];
      }),
    ],
  };
}

function onLines({ instance, node, notices }: Outcome): readonly string[] {
  return notices.flatMap((notice) => {
    if (notice.kind !== 'left-on' && notice.kind !== 'foreign-defrag') return [];
    const typed = notice.kind === 'left-on' ? (notice.typed ?? '') : '';
    const commands =
      typed === '' ? [] : ['To restore them, on that server:', ...typed.split('\n').map((line) => `  ${line}`)];
    return [`${instance} ${node}: ${noticeText(notice)}`, ...commands];
  });
}
