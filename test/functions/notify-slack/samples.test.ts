import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { refusalOf } from '../../support/slack-rules.ts';
import { slackSamples } from './samples.ts';

const checkedIn: Readonly<Record<string, Readonly<Record<string, unknown>>>> = JSON.parse(
  readFileSync(new URL('../../../docs/slack-messages.json', import.meta.url), 'utf8'),
);

test('docs/slack-messages.json is current (node cli/write-slack-samples.ts writes it)', () => {
  expect(checkedIn).toEqual(JSON.parse(JSON.stringify(slackSamples())));
});

test('everything in it is what Slack takes', () => {
  const messages = Object.values(checkedIn).flatMap((group) => Object.values(group));
  expect(messages.length).toBeGreaterThan(25);
  expect(messages.map(refusalOf).filter((refusal) => refusal !== undefined)).toEqual([]);
});
