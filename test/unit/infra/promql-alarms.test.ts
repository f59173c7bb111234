import { describe, expect, test } from 'vitest';
import { TROUBLE_NAMES } from '../../../core/config/trouble.ts';
import { GIB, MIB, MINUTE } from '../../../core/config/units.ts';
import { parseAlarmDescription } from '../../../core/format/alarm-description.ts';
import { metricsOf } from '../../../core/reporting/metrics.ts';
import type { PromqlAlarm, Resources } from '../../../infra/cloudformation.ts';
import { askBotocore, testWithBotocore } from '../../support/botocore.ts';
import { anInstance, anObservation, anOutcome, anUnreached, aSeen, NOW } from '../../support/builders.ts';
import { CARTS, deployable, fleetFile, propertiesOf, QUEUE, resourcesOf, SESSIONS, stackFile } from './stacks.ts';

const OTLP = 'metrics: { send: otlp }';

function promql(resources: Resources): readonly PromqlAlarm['Properties'][] {
  return Object.values(resources).flatMap((one) =>
    one.Type === 'AWS::CloudWatch::Alarm' && 'EvaluationCriteria' in one.Properties ? [one.Properties] : [],
  );
}
const criteria = ({ EvaluationCriteria }: PromqlAlarm['Properties']) => EvaluationCriteria.PromQLCriteria;
const names = (resources: Resources) =>
  Object.values(resources).flatMap((one) =>
    one.Type === 'AWS::CloudWatch::Alarm' ? [propertiesOf(one).AlarmName] : [],
  );

describe('alarms on metrics that are sent by OTLP', () => {
  const resources = resourcesOf(stackFile(undefined, OTLP));
  const alarms = promql(resources);

  test('watch the nodes of all instances, by one query for each trouble', () => {
    expect(alarms.map((one) => [one.AlarmName, criteria(one)])).toEqual([
      [
        'offpeak-prod/nodes/fragmentation-critical',
        {
          Query:
            'last_over_time(offpeak_NodeTrouble{Stage="prod",Trouble="fragmentation-critical",Checks="2"}[450s]) > 0',
          PendingPeriod: 300,
          RecoveryPeriod: 300,
        },
      ],
      [
        'offpeak-prod/nodes/fragmentation-warning',
        {
          Query:
            'last_over_time(offpeak_NodeTrouble{Stage="prod",Trouble="fragmentation-warning",Checks="6"}[450s]) > 0',
          PendingPeriod: 1500,
          RecoveryPeriod: 300,
        },
      ],
      [
        'offpeak-prod/nodes/rss-critical',
        {
          Query: 'last_over_time(offpeak_NodeTrouble{Stage="prod",Trouble="near-limit",Checks="1"}[450s]) > 0',
          PendingPeriod: 0,
          RecoveryPeriod: 300,
        },
      ],
      [
        'offpeak-prod/nodes/unreachable-critical',
        {
          Query: 'last_over_time(offpeak_NodeTrouble{Stage="prod",Trouble="unreachable",Checks="2"}[450s]) > 0',
          PendingPeriod: 300,
          RecoveryPeriod: 300,
        },
      ],
    ]);
  });

  test('say what is the matter, what to do and where to read on, both ways', () => {
    for (const { AlarmName, AlarmDescription, AlarmActions, OKActions } of alarms) {
      const { severity, means, runbook } = parseAlarmDescription(String(AlarmDescription)) ?? {};
      expect(String(AlarmName)).toMatch(new RegExp(`-${severity}$`));
      expect(means).toMatch(
        /^Nodes [^,]*, each in \d+ checks?( in a row)?\. (At the limit .*\. )?The contributors of the alarm name the nodes\.$/,
      );
      expect(runbook).toMatch(/^https:\/\/wiki\.redis\.example\/offpeak#[a-z-]+$/);
      expect([AlarmActions, OKActions]).toEqual([[{ Ref: 'AlertTopic' }], [{ Ref: 'AlertTopic' }]]);
    }
  });

  test('take the place of alarms of each node; the net of a fleet and the alarms of the job stay', () => {
    expect(names(resources).filter((name) => /carts|sessions|queue|fleet/.test(String(name)))).toEqual([]);
    expect(names(resources)).toContain('offpeak-prod/job/not-running-critical');
    const large = names(resourcesOf(fleetFile(60, OTLP)));
    expect(large.filter((name) => /\/(fleet|nodes)\//.test(String(name)))).toHaveLength(8);
    expect(promql(resourcesOf(stackFile()))).toEqual([]);
  });

  test('an instance with another `for` has alarms of its own, of another name', () => {
    const patient = QUEUE.replace('windows: []', 'windows: [], thresholds: { fragmentationWarning: { for: 2h } }');
    const own = promql(resourcesOf(stackFile([SESSIONS, CARTS, patient], OTLP))).map(({ AlarmName }) => AlarmName);
    expect(own).toContain('offpeak-prod/nodes/fragmentation-6-checks-warning');
    expect(own).toContain('offpeak-prod/nodes/fragmentation-24-checks-warning');
    expect(new Set(own).size).toBe(own.length);
  });

  testWithBotocore('are what PutMetricAlarm takes, by AWS’ own model', () => {
    const hourly = promql(resourcesOf(stackFile(undefined, `${OTLP}\nschedule: { every: 1h }`)));
    const cases = [...alarms, ...hourly].map((properties) => ({
      ...{ service: 'cloudwatch', operation: 'PutMetricAlarm' },
      params: { ...properties, AlarmActions: ['arn:aws:sns:a:1:t'], OKActions: ['arn:aws:sns:a:1:t'] },
    }));
    const broken = { ...cases[0], params: { ...cases[0]?.params, EvaluationInterval: 5, Query: 'up' } };
    const reports = askBotocore('validate.py', [...cases, broken]) as readonly string[];
    expect(reports.slice(0, -1).join('')).toBe('');
    expect(reports.at(-1)).toMatch(/EvaluationInterval|Unknown parameter/);
  });

  test('the job may send without a namespace, in its own region only', () => {
    expect(JSON.stringify(resources.MaintainRole)).toContain(
      '"Action":["cloudwatch:PutMetricData"],"Resource":["*"],"Condition":{"StringEquals":{"aws:RequestedRegion"',
    );
  });
});

describe('what the alarms read', () => {
  const instances = [anInstance({ memoryLimit: GIB })];
  const input = { stage: 'prod', startedAt: NOW, finishedAt: NOW, instances, watched: { every: 5 * MINUTE } };
  const troubles = (outcome: Parameters<typeof metricsOf>[0]['outcomes'][number], over = {}) =>
    metricsOf({ ...input, outcomes: [outcome], ...over }).filter(({ name }) => name === 'NodeTrouble');

  test('is sent of a node while a trouble is found, with the labels of the query, and not otherwise', () => {
    const memory = { usedMemoryRss: 900.5 * MIB };
    const outcome = anOutcome({ before: aSeen({ observation: anObservation({ memory }) }) });
    expect(troubles(outcome).map(({ dimensions, value }) => [dimensions.Trouble, dimensions.Checks, value])).toEqual([
      ['fragmentation-warning', '6', 1],
      ['fragmentation-critical', '2', 1],
      ['near-limit', '1', 1],
    ]);
    expect(troubles(anUnreached()).map(({ dimensions }) => dimensions.Trouble)).toEqual(['unreachable']);
    const tidy = anOutcome({ before: aSeen({ observation: anObservation({ memory: { usedMemoryRss: 500 * MIB } }) }) });
    expect(troubles(tidy)).toEqual([]);
    expect(troubles(outcome, { watched: undefined })).toEqual([]);
  });

  test('each has an alarm, whatever the instance asks for', () => {
    const config = deployable(stackFile(undefined, OTLP));
    const queries = promql(resourcesOf(stackFile(undefined, OTLP))).map((one) => criteria(one).Query);
    for (const name of TROUBLE_NAMES) expect(queries.filter((query) => query.includes(`"${name}"`))).toHaveLength(1);
    expect(config.metrics).toEqual({ send: 'otlp' });
  });
});
