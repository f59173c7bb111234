import { describe, expect, test } from 'vitest';
import { ACCOUNT_PARAMETERS, type AccountParameters, asAccountWants, readAccount } from '../../../infra/account.ts';
import { ParameterError } from '../../../infra/network.ts';
import { template } from '../../../infra/template.ts';
import { deployable, NO_NETWORK, ofType, propertiesOf, stackFile } from './stacks.ts';

const NONE = Object.fromEntries(ACCOUNT_PARAMETERS.map((name) => [name, ''])) as AccountParameters;
const KEY = 'arn:aws:kms:eu-west-1:123456789012:key/0a1b2c3d-1234-1234-1234-0a1b2c3d4e5f';
const TOPIC = 'arn:aws:sns:eu-west-1:123456789012:all-alerts';
const BOUNDARY = 'arn:aws:iam::123456789012:policy/team/boundary';
const STACK = template(deployable(stackFile()), NO_NETWORK);
const wanted = (parameters: Partial<AccountParameters>) =>
  asAccountWants(STACK, readAccount({ ...NONE, ...parameters }), ['Maintain', 'NotifySlack']);

test('without parameters, nothing changes', () => expect(wanted({})).toEqual(STACK));

test('a permissions boundary: on every role, and on nothing else', () => {
  const { Resources } = wanted({ permissionsBoundaryArn: BOUNDARY });
  const bounded = Object.entries(Resources).filter(([, one]) => 'PermissionsBoundary' in propertiesOf(one));
  expect(bounded.map(([id]) => id)).toEqual(ofType(STACK.Resources, 'AWS::IAM::Role').map(([id]) => id));
  expect(bounded.length).toBeGreaterThan(2);
});

test('a key: on topics and logs, and the job may use it for the topic alone', () => {
  const { Resources, extensions } = wanted({ keyArn: KEY });
  for (const [, { Properties }] of ofType(Resources, 'AWS::SNS::Topic')) expect(Properties.KmsMasterKeyId).toBe(KEY);
  expect(extensions).toEqual({
    MaintainLogGroup: { Properties: { KmsKeyId: KEY } },
    NotifySlackLogGroup: { Properties: { KmsKeyId: KEY } },
  });
  const of = (id: string) => JSON.stringify(propertiesOf(Resources[id]).Policies);
  expect(of('MaintainRole')).toContain(KEY);
  expect(of('MaintainRole')).toContain('"kms:ViaService":{"Fn::Sub":"sns.');
  expect(of('NotifySlackRole')).not.toContain(KEY);
});

describe('a topic that is there already', () => {
  const { Resources, Outputs } = wanted({ alertTopicArn: TOPIC });

  test('is used everywhere, and none is created', () => {
    expect(ofType(Resources, 'AWS::SNS::Topic')).toEqual([]);
    expect(JSON.stringify({ Resources, Outputs })).not.toMatch(/"(?:Ref|Fn::GetAtt)":\[?"AlertTopic"/);
    for (const [, { Properties }] of ofType(Resources, 'AWS::CloudWatch::Alarm'))
      expect(Properties).toMatchObject({ AlarmActions: [TOPIC], OKActions: [TOPIC] });
    expect(Outputs.AlertTopicArn?.Value).toBe(TOPIC);
  });

  test('is watched under its own name', () => {
    expect(propertiesOf(Resources.TopicAlarmUndelivered).Dimensions).toEqual([
      { Name: 'TopicName', Value: 'all-alerts' },
    ]);
  });
});

test('tags are read as they are written', () => {
  expect(readAccount({ ...NONE, tags: 'team=cache, cost-center=12,note=' }).tags).toEqual({
    team: 'cache',
    'cost-center': '12',
    note: '',
  });
});

test.each([
  ['alertTopicArn', 'alerts', 'parameter alertTopicArn: "alerts" is not the ARN of a standard SNS topic'],
  ['alertTopicArn', `${TOPIC}.fifo`, 'is not the ARN of a standard SNS topic'],
  ['keyArn', 'alias/aws/sns', 'is not the ARN of a KMS key'],
  ['keyArn', `${KEY},${KEY}`, 'has 2 values; accepted: one'],
  ['permissionsBoundaryArn', 'boundary', 'is not the ARN of an IAM policy'],
  ['tags', 'team', '"team" is not tags, like team=cache,cost-center=12'],
  ['tags', 'aws:team=x', 'is not tags'],
])('%s: %s is refused', (name, value, message) => {
  expect(() => readAccount({ ...NONE, [name]: value })).toThrow(ParameterError);
  expect(() => readAccount({ ...NONE, [name]: value })).toThrow(message);
});

test('osls prints the stack of an error: of this one it is the message only', () => {
  expect(new ParameterError('parameter tags: "team" is not tags').stack).toBe(
    'ParameterError: parameter tags: "team" is not tags',
  );
});
