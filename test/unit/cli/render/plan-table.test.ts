import { expect, test } from 'vitest';
import { planTable } from '../../../../cli/render/plan-table.ts';
import { plainPaint } from '../../../../cli/render/style.ts';
import { MIB } from '../../../../core/config/units.ts';
import type { Plan } from '../../../../core/domain/plan.ts';
import { planBrief } from '../../../../core/reporting/wording/plan.ts';
import { anInstance, anOutcome, anUnreached, aPlan, aSkip, NOW } from '../../../support/builders.ts';
import { PLANS } from '../../core/reporting/samples.ts';

const style = { paint: plainPaint, unicode: true };
const planned = (node: string, plan: Plan) => anOutcome({ node, plan });
const instead = (reclaim: number) =>
  ({ action: 'start-defrag', predicted: { reclaim: reclaim * MIB, stall: 1 } }) as const;

const OUTCOMES = [
  anUnreached({
    node: 'down:1',
    problem: { kind: 'unreachable', message: 'down:1 cannot be reached: ECONNREFUSED', expected: true },
  }),
  planned('tidy:1', aSkip('healthy')),
  planned('small:1', aSkip('outside-window', { until: NOW, instead: instead(120) })),
  planned('large:1', aSkip('outside-window', { until: NOW, instead: instead(900) })),
  planned('now:1', aPlan()),
];

test('what is done now comes first, then what would be, by its bytes; the sum is of what is done', () => {
  expect(planTable(OUTCOMES, style, [anInstance()])).toEqual([
    '  instance  node          RSS  predicted  plan',
    '  sessions  now:1     841 MiB    350 MiB  start active defrag',
    '  sessions  large:1   841 MiB    900 MiB  nothing: outside the window, which opens Tue 2026-11-24 02:14 Europe/Berlin',
    '  sessions  small:1   841 MiB    120 MiB  nothing: outside the window, which opens Tue 2026-11-24 02:14 Europe/Berlin',
    '  sessions  tidy:1    841 MiB             nothing: no action would return enough',
    '  sessions  down:1                        down:1 cannot be reached: ECONNREFUSED',
    '  total     5 nodes  3.29 GiB    350 MiB  1 to be acted on now, 2 wait',
  ]);
});

test('where nothing is done, it says so', () => {
  expect(planTable([planned('tidy:1', aSkip('healthy'))], style, []).at(-1)).toMatch(/841 MiB +nothing to do now$/);
});

test.each(PLANS)('every plan has one short line: $reason', (plan) => {
  const text = planBrief(plan, 'Europe/Berlin');
  expect(text).toMatch(/^(?:start active defrag|stop active defrag|purge|carry on: .+|nothing: .+)$/);
  expect(text).not.toMatch(/would have|\n/);
});

test('of several blockers the first is named, and the others are counted', () => {
  const blockers = [{ kind: 'loading' }, { kind: 'forking', child: 'bgsave' }] as const;
  expect(planBrief(aSkip('loading', { blockers }))).toBe('nothing: the server is loading its data, and 1 more');
});
