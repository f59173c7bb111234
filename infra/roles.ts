import type { SecretReference } from '../core/config/address.ts';
import type { Config } from '../core/config/schema.ts';
import { NAMESPACE } from '../core/domain/metric-catalogue.ts';
import { arn, getAtt, type Intrinsic, type ResourceOf, type Resources, ref } from './cloudformation.ts';
import { type FUNCTIONS, functionName } from './functions.ts';
import { ID } from './names.ts';
import { isAttached, type Network } from './network.ts';
import { allow, charactersOf, policy, type Statement } from './policies.ts';
import { decryptSecrets, jobSecrets, readSecrets, secretPolicies } from './secrets.ts';

const LAMBDA = 'lambda.amazonaws.com';

/** The part of AWSLambdaVPCAccessExecutionRole about interfaces; these actions support no narrower resource. */
const INTERFACES = [
  'ec2:AssignPrivateIpAddresses',
  'ec2:CreateNetworkInterface',
  'ec2:DeleteNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:UnassignPrivateIpAddresses',
];
const IN_THIS_REGION = { StringEquals: { 'aws:RequestedRegion': ref('AWS::Region') } };

/** IAM takes 10,240 characters in all the inline policies of a role. */
const MOST_INLINE = 10_000;

/**
 * A role for one service, with policies of its own: nothing is shared between the functions. `trust`: on whose behalf the service may assume
 * it, where the service says so.
 */
export function role(
  service: string,
  statements: readonly Statement[],
  { managed = [], trust }: { readonly managed?: readonly Intrinsic[]; readonly trust?: Statement } = {},
): ResourceOf<'AWS::IAM::Role'> {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: policy([
        {
          Effect: 'Allow',
          Principal: { Service: service },
          Action: 'sts:AssumeRole',
          ...(trust && { Condition: trust }),
        },
      ]),
      Policies: [{ PolicyName: 'offpeak', PolicyDocument: policy(statements) }],
      ...(managed.length > 0 && { ManagedPolicyArns: managed }),
    },
  };
}

/**
 * What the job may do: its namespace, its topic, its table, and the secrets that the config names. Some 80 of those fit beside
 * the rest; more are in policies of their own.
 */
export function maintainRole(config: Config, network: Network): Resources {
  const secrets = jobSecrets(config);
  const statementsWith = (reads: readonly Statement[]) => [
    ...basics(config.stage, 'maintain'),
    allow(['cloudwatch:PutMetricData'], ['*'], { StringEquals: { 'cloudwatch:namespace': NAMESPACE } }),
    allow(['sns:Publish'], [ref(ID.topic)]),
    allow(['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:UpdateItem'], [getAtt(ID.table, 'Arn')]),
    allow(['sqs:SendMessage'], [getAtt(ID.maintainDeadLetters, 'Arn')]),
    ...reads,
    ...decryptSecrets(secrets, network.secretsKeyArn),
    ...(isAttached(network) ? [allow(INTERFACES, ['*'], IN_THIS_REGION)] : []),
  ];
  const all = statementsWith(readSecrets(secrets));
  if (charactersOf(all) <= MOST_INLINE) return { [ID.maintainRole]: role(LAMBDA, all) };
  const managed = secretPolicies('MaintainSecrets', secrets);
  return {
    ...managed,
    [ID.maintainRole]: role(LAMBDA, statementsWith([]), { managed: Object.keys(managed).map(ref) }),
  };
}

/** What the Slack function may do: take from its queue, and read one secret. */
export function notifierRole(config: Config, webhook: SecretReference, network: Network): ResourceOf<'AWS::IAM::Role'> {
  return role(LAMBDA, [
    ...basics(config.stage, 'notifySlack'),
    allow(['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'], [getAtt(ID.notifierQueue, 'Arn')]),
    ...readSecrets([webhook]),
    ...decryptSecrets([webhook], network.secretsKeyArn),
  ]);
}

/** Its log group, and traces. */
function basics(stage: string, key: keyof typeof FUNCTIONS): readonly Statement[] {
  const group = arn('logs', `log-group:/aws/lambda/${functionName(stage, key)}:*`);
  return [
    allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [group]),
    allow(['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], ['*'], IN_THIS_REGION),
  ];
}
