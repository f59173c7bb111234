import { expect, test } from 'vitest';
import { nowLines, toDoIn } from '../../../../cli/render/now.ts';
import type { Tick } from '../../../../core/reconcile/scope.ts';
import { anInstance, anOutcome, anUnreached, aPlan, aSkip, aTick, NODE } from '../../../support/builders.ts';

const tick = (outcomes: Tick['outcomes'], instances: Tick['instances'] = [anInstance()]) =>
  aTick({ outcomes, instances });

test('names each node on which something would be done, what, and which guards hold', () => {
  const outcomes = [
    anOutcome({ plan: aPlan() }),
    anOutcome({ node: 'b:1', plan: aSkip('cooling-down') }),
    anUnreached(),
  ];
  expect(toDoIn({ outcomes }).map(({ node }) => node)).toEqual([NODE]);
  const lines = nowLines(tick(outcomes));
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^offpeak: now, outside of the windows/);
  expect(lines[1]).toMatch(/^ {2}sessions 10\.0\.3\.17:6379: start active defrag: .* predicted [\d.]+ MiB back/);
  expect(lines[2]).toMatch(/All guards but the window hold/);
});

test('where nothing would be done, it says who knows why', () => {
  expect(nowLines(tick([anOutcome({ plan: aSkip('cooling-down') })]))).toEqual([
    'offpeak: there is nothing to do now: the plan of each node says why',
  ]);
});

test.each([
  ['that is known', []],
  ['that answers', [anUnreached()]],
])('without a node %s there is no plan to look at', (_, outcomes) => {
  expect(nowLines(tick(outcomes))).toEqual([
    'offpeak: there is nothing to do now: no node of these instances is known, or answers',
  ]);
});

test("Offpeak's defrag that is on is something to do, where its node answers", () => {
  const until = Date.UTC(2026, 10, 24, 3);
  const on = anOutcome({ leased: true, plan: aSkip('defragmenting', { until }) });
  const outcomes = [on, { ...anUnreached({ node: 'down:1' }), leased: true }];
  expect(toDoIn({ outcomes })).toEqual([on]);
  expect(nowLines(tick(outcomes))[1]).toMatch(/^ {2}sessions 10\.0\.3\.17:6379: carry on: active defrag is running/);
});

test('other nodes of the named instances may follow, and the question says so', () => {
  const { nodes } = anInstance();
  const carts = ['c:1', 'c:2'].flatMap((id) => nodes.map((node) => ({ ...node, id })));
  const other = anInstance({ id: 'carts', nodes: carts });
  const lines = (...ids: readonly string[]) =>
    nowLines(
      tick(
        ids.map((node) => anOutcome({ instance: 'carts', node, plan: aPlan() })),
        [anInstance(), other],
      ),
    ).join('\n');
  expect(lines('c:1')).toContain('Other nodes of these instances follow where it is worth it');
  expect(lines('c:1', 'c:2')).not.toContain('Other nodes');
});
