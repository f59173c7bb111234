import { TROUBLE_NAMES } from '../../../../core/config/trouble.ts';
import { GIB, MINUTE } from '../../../../core/config/units.ts';
import type { Alert } from '../../../../core/domain/alert.ts';
import { abandonedTrouble, troubleAlert } from '../../../../core/reporting/alerts/trouble.ts';
import { anInstance, anOutcome, anUnreached, NODE, NOW } from '../../../support/builders.ts';

const MOMENT = { stage: 'prod', at: NOW };
const since = NOW - 30 * MINUTE;
const policy = anInstance({ memoryLimit: GIB });

/** What is sent of each trouble, by its name and whether it begins or is over. */
export const TROUBLE_ALERTS: readonly (readonly [name: string, alert: Alert])[] = [
  ...TROUBLE_NAMES.flatMap((name) => [
    [
      `${name} began`,
      troubleAlert(
        name === 'unreachable' ? anUnreached() : anOutcome(),
        policy,
        { name, phase: 'began', since },
        MOMENT,
      ),
    ] as const,
    [`${name} over`, troubleAlert(anOutcome(), policy, { name, phase: 'over', since }, MOMENT)] as const,
  ]),
  [
    'a node in trouble is no longer checked',
    abandonedTrouble({ instance: 'sessions', node: NODE }, { name: 'unreachable', since }, MOMENT),
  ],
];
