import { template } from '../../../../infra/template.ts';
import { deployable, fleetFile, NO_NETWORK } from '../../infra/stacks.ts';
import { type Change, notificationOf } from './alarm-notification.ts';

type Json = Readonly<Record<string, unknown>>;

export const RUNBOOK = 'https://docs.example/offpeak/runbook.md';

/** One node, and everything that a stack can have. */
const FILE = [
  'instances:',
  '  - { id: sessions, url: redis://10.0.3.17, memoryLimit: 6GiB }',
  'notifications: { slack: { webhook: ssm:/offpeak/slack } }',
  `runbook: ${RUNBOOK}`,
].join('\n');

const { Resources: NODE_STACK } = template(deployable(FILE), NO_NETWORK);
const { Resources: FLEET_STACK } = template({ ...deployable(fleetFile(26)), runbook: RUNBOOK }, NO_NETWORK);

const CHILD = 'arn:aws:cloudwatch:eu-west-1:123456789012:alarm:offpeak-prod/sessions/unreachable-critical';

/** What an alarm of the stack sends; `name` is without the stage. */
const ofNode = (name: string, change: Change): Json => notificationOf(NODE_STACK, `offpeak-prod/${name}`, change);
const ofFleet = (name: string, change: Change): Json => notificationOf(FLEET_STACK, `offpeak-prod/${name}`, change);

/** An alarm on one metric. */
export function anAlarm(over: Json = {}): Json {
  return { ...ofNode('sessions/unreachable-critical', { to: 'ALARM', datum: 0 }), ...over };
}

/** The ratio with its byte floor: metric math has no metric of its own. */
export function aMathAlarm(over: Json = {}): Json {
  return { ...ofNode('sessions/fragmentation-warning', { to: 'ALARM', datum: 1.83 }), ...over };
}

/** RSS in bytes. */
export function aLimitAlarm(): Json {
  return ofNode('sessions/rss-critical', { to: 'ALARM', datum: 5_601_230_848 });
}

/** Of another team, since a stack has none: a composite alarm has a rule and children, and no trigger. */
export function aCompositeAlarm(over: Json = {}): Json {
  const { Trigger: _, ...rest } = anAlarm();
  return {
    ...rest,
    AlarmName: 'shop-redis-is-down',
    AlarmArn: 'arn:aws:cloudwatch:eu-west-1:123456789012:alarm:shop-redis-is-down',
    AlarmDescription: null,
    AlarmRule: 'ALARM("offpeak-prod/sessions/unreachable-critical") AND ALARM("shop-checkout-errors")',
    NewStateReason: `${CHILD} transitioned to ALARM at Monday 23 November, 2026 02:09:12 UTC`,
    TriggeringChildren: [{ Arn: CHILD, State: { Value: 'ALARM', Timestamp: '2026-11-23T02:09:12.345+0000' } }],
    ...over,
  };
}

/** Of another team, which wants a message about missing data, too. */
function anotherTeamsAlarm(): Json {
  return anAlarm({
    AlarmName: 'shop-checkout-errors',
    AlarmArn: 'arn:aws:cloudwatch:eu-west-1:123456789012:alarm:shop-checkout-errors',
    AlarmDescription: 'Checkout fails. See https://wiki.shop.example/checkout.',
    NewStateValue: 'INSUFFICIENT_DATA',
    NewStateReason: 'Insufficient Data: 4 datapoints were unknown.',
    Trigger: {
      MetricName: 'Errors',
      Namespace: 'Shop',
      StatisticType: 'Statistic',
      Statistic: 'SUM',
      Unit: null,
      Dimensions: [{ value: 'checkout', name: 'Service' }],
      Period: 60,
      EvaluationPeriods: 4,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Threshold: 10.0,
      TreatMissingData: 'missing',
      EvaluateLowSampleCountPercentile: '',
    },
  });
}

/** By their names in docs/slack-messages.json; those of another team last. */
export const ALARMS: Readonly<Record<string, Json>> = {
  'one metric: ALARM': anAlarm(),
  'one metric: OK': ofNode('sessions/unreachable-critical', { to: 'OK', datum: 1 }),
  'metric math: ALARM': aMathAlarm(),
  'metric math: OK': ofNode('sessions/fragmentation-warning', { to: 'OK', datum: 1.24 }),
  'near the limit: ALARM': aLimitAlarm(),
  'near the limit: OK': ofNode('sessions/rss-critical', { to: 'OK', datum: 4_831_838_208 }),
  'a fleet: ALARM': ofFleet('fleet/fragmentation-critical', { to: 'ALARM', datum: 3 }),
  'the job does not run: ALARM': ofNode('job/not-running-critical', { to: 'ALARM' }),
  'the job does not run: OK': ofNode('job/not-running-critical', { to: 'OK', datum: 1 }),
  'a queue: ALARM': ofNode('job/dead-letters-warning', { to: 'ALARM', datum: 1 }),
  "another team's composite: ALARM": aCompositeAlarm(),
  "another team's composite: OK": aCompositeAlarm({
    NewStateValue: 'OK',
    OldStateValue: 'ALARM',
    StateChangeTime: '2026-11-23T02:14:12.345+0000',
    NewStateReason: `${CHILD} transitioned to OK at Monday 23 November, 2026 02:14:12 UTC`,
  }),
  "another team's: INSUFFICIENT_DATA": anotherTeamsAlarm(),
};
