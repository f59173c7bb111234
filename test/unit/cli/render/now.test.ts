import { expect, test } from 'vitest';
import { nowLines, plannedIn } from '../../../../cli/render/now.ts';
import { anInstance, anOutcome, anUnreached, aPlan, aSkip, NODE } from '../../../support/builders.ts';

const tick = (outcomes: Parameters<typeof plannedIn>[0]['outcomes']) => ({
  at: 0,
  stage: 'prod',
  outcomes,
  leased: [],
  idle: false,
  remarks: [],
  undelivered: 0,
  troubles: [],
});
const config = { instances: [anInstance()] };

test('names each node on which something would be done, what, and which guards hold', () => {
  const outcomes = [
    anOutcome({ plan: aPlan() }),
    anOutcome({ node: 'b:1', plan: aSkip('cooling-down') }),
    anUnreached(),
  ];
  expect(plannedIn({ outcomes }).map(({ node }) => node)).toEqual([NODE]);
  const lines = nowLines(tick(outcomes), config);
  expect(lines).toHaveLength(3);
  expect(lines[0]).toMatch(/^offpeak: now, outside of the windows/);
  expect(lines[1]).toMatch(/^ {2}sessions 10\.0\.3\.17:6379: start active defrag: .* predicted [\d.]+ MiB back/);
  expect(lines[2]).toMatch(/All guards but the window hold/);
});

test('where nothing would be done, it says who knows why', () => {
  expect(nowLines(tick([anOutcome({ plan: aSkip('cooling-down') })]), config)).toEqual([
    'offpeak: there is nothing to do now: the plan of each node says why',
  ]);
});
