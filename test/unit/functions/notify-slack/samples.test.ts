import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { SlackMessage } from '../../../../functions/notify-slack/limits.ts';
import { template } from '../../../../infra/template.ts';
import { anchorsOf } from '../../../support/headings.ts';
import { refusalOf } from '../../../support/slack-rules.ts';
import { deployable, fleetFile, NO_NETWORK, ofType, stackFile } from '../../infra/stacks.ts';
import { addressesOf, read } from './reading.ts';
import { LINKS, slackSamples } from './samples.ts';

const textOf = (path: string) => readFileSync(new URL(`../../../../docs/${path}`, import.meta.url), 'utf8');
const checkedIn: Readonly<Record<string, Readonly<Record<string, SlackMessage>>>> = JSON.parse(
  textOf('slack-messages.json'),
);

test('docs/slack-messages.json is current (node cli/write-slack-samples.ts writes it)', () => {
  expect(checkedIn).toEqual(JSON.parse(JSON.stringify(slackSamples())));
});

test('everything in it is what Slack takes', () => {
  const messages = Object.values(checkedIn).flatMap((group) => Object.values(group));
  expect(messages.length).toBeGreaterThan(25);
  expect(messages.map(refusalOf).filter((refusal) => refusal !== undefined)).toEqual([]);
});

test('the runbook buttons of our alerts and alarms lead to headings that the runbook has', () => {
  const { alerts = {}, alarms = {} } = checkedIn;
  const ours = Object.entries({ ...alerts, ...alarms }).filter(([name]) => !name.startsWith('somebody else'));
  const anchors = anchorsOf(textOf('runbook.md'));
  const leading = ours.map(([name, message]) => [name, addressesOf(message).Runbook?.split('#')] as const);
  const astray = leading.filter(
    ([, [page = '', anchor = ''] = []]) => page !== LINKS.runbook || !anchors.includes(anchor),
  );
  expect(astray).toEqual([]);
});

test('the alarms are those that a stack has, in their own words; others are marked as somebody else’s', () => {
  const yaml = stackFile(['  - { id: sessions, url: redis://10.0.3.17, memoryLimit: 6GiB }']);
  const alarms = [yaml, fleetFile(26)].flatMap((file) => {
    const config = { ...deployable(file), runbook: LINKS.runbook ?? '' };
    return ofType(template(config, NO_NETWORK).Resources, 'AWS::CloudWatch::Alarm').map(
      ([, { Properties }]) => Properties,
    );
  });
  for (const [name, message] of Object.entries(checkedIn.alarms ?? {})) {
    const alarm = alarms.find(({ AlarmName }) => message.text.endsWith(`: ${AlarmName}`));
    expect(alarm === undefined, name).toBe(name.startsWith('somebody else'));
    const escaped = String(alarm?.AlarmDescription ?? '')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;');
    expect(read(message)).toContain(escaped);
    if (alarm !== undefined)
      expect(read(message)).toContain(`in ${alarm.DatapointsToAlarm} of ${alarm.EvaluationPeriods} periods`);
  }
});
