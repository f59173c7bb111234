import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseAlarmDescription } from '../../../../core/format/alarm-description.ts';
import { escapedText } from '../../../../core/format/slack-text.ts';
import { bytesText } from '../../../../core/format/units.ts';
import type { SlackMessage } from '../../../../functions/notify-slack/message/post.ts';
import { template } from '../../../../infra/template.ts';
import { anchorsOf } from '../../../support/headings.ts';
import { refusalOf } from '../../../support/slack-rules.ts';
import { deployable, fleetFile, NO_NETWORK, ofType, stackFile } from '../../infra/stacks.ts';
import { addressesOf, read } from './reading.ts';
import { ALERTS, LINKS, slackSamples } from './samples.ts';

const placeOf = (path: string) => new URL(`../../../../${path}`, import.meta.url);
const textOf = (path: string) => readFileSync(placeOf(`docs/${path}`), 'utf8');

if (process.env.UPDATE_DOCS) writeSamples();
const checkedIn: Readonly<Record<string, Readonly<Record<string, SlackMessage>>>> = JSON.parse(
  textOf('slack-messages.json'),
);

test('docs/slack-messages.json is current (`npm run docs` writes it)', () => {
  expect(checkedIn).toEqual(JSON.parse(JSON.stringify(slackSamples())));
});

test('everything in it is what Slack takes', () => {
  const messages = Object.values(checkedIn).flatMap((group) => Object.values(group));
  expect(messages.length).toBeGreaterThan(25);
  expect(messages.map(refusalOf).filter((refusal) => refusal !== undefined)).toEqual([]);
});

test.each(Object.entries(ALERTS))(
  '%s: a sample does not contradict itself',
  (_, { event, title, why, facts, figures = {} }) => {
    const { rssBefore, rssAfter, returnedBytes, predictedBytes, stallMs = 0, promisedStallMs = 0 } = figures;
    if (rssBefore !== undefined && rssAfter !== undefined) expect(rssBefore - rssAfter).toBe(returnedBytes);
    for (const [, bytes] of `${title} ${why}`.matchAll(/(?:of|predicted) ([\d.]+ [KMG]iB)(?: predicted| back)/g)) {
      expect(bytes).toBe(bytesText(predictedBytes ?? Number.NaN));
    }
    const reason = facts.find(({ label }) => label === 'Reason')?.value;
    expect(reason === 'stall-spent').toBe(stallMs > promisedStallMs);
    const settings = facts.find(({ label }) => label === 'Settings now')?.value;
    if (event === 'foreign-defrag') expect(settings).toContain('activedefrag yes');
  },
);

test('the runbook buttons of our alerts and alarms lead to headings that the runbook has', () => {
  const { alerts = {}, alarms = {} } = checkedIn;
  const ours = Object.entries({ ...alerts, ...alarms }).filter(([name]) => !name.startsWith('another team'));
  const anchors = anchorsOf(textOf('runbook.md'));
  const leading = ours.map(([name, message]) => [name, addressesOf(message).Runbook?.split('#')] as const);
  const astray = leading.filter(
    ([, [page = '', anchor = ''] = []]) => page !== LINKS.runbook || !anchors.includes(anchor),
  );
  expect(astray).toEqual([]);
});

test('the alarms are those that a stack has, in their own words; others are marked as another team’s', () => {
  const yaml = stackFile(['  - { id: sessions, url: redis://10.0.3.17, memoryLimit: 6GiB }']);
  const alarms = [yaml, fleetFile(26)].flatMap((file) => {
    const config = { ...deployable(file), runbook: LINKS.runbook ?? '' };
    return ofType(template(config, NO_NETWORK).Resources, 'AWS::CloudWatch::Alarm').map(
      ([, { Properties }]) => Properties,
    );
  });
  for (const [name, message] of Object.entries(checkedIn.alarms ?? {})) {
    const alarm = alarms.find(({ AlarmName }) => message.text.endsWith(`: ${AlarmName}`));
    expect(alarm === undefined, name).toBe(name.startsWith('another team'));
    const described = parseAlarmDescription(String(alarm?.AlarmDescription ?? ''));
    expect(described === undefined, name).toBe(alarm === undefined);
    const { means = '' } = described ?? {};
    expect([means, escapedText(means, 1_000)].some((text) => read(message).includes(text))).toBe(true);
    if (alarm !== undefined)
      expect(read(message)).toContain(`in ${alarm.DatapointsToAlarm} of ${alarm.EvaluationPeriods} periods`);
  }
});

function writeSamples(): void {
  writeFileSync(placeOf('docs/slack-messages.json'), JSON.stringify(slackSamples()));
  const biome = fileURLToPath(placeOf('node_modules/@biomejs/biome/bin/biome'));
  execFileSync(process.execPath, [biome, 'format', '--write', 'docs/slack-messages.json'], { cwd: placeOf('.') });
}
