import type { SecretReference } from '../functions/shared/config/address.ts';
import type { Config } from '../functions/shared/config/schema.ts';
import { NAMESPACE } from '../functions/shared/contracts/metrics.ts';
import { arn, getAtt, type Json, type Resource, ref, sub } from './cloudformation.ts';
import { type FUNCTIONS, functionName } from './functions.ts';
import { ID } from './names.ts';
import { isAttached, type Network } from './network.ts';
import { jobSecrets, secretArns } from './secrets.ts';

/** One `Allow` of a policy. */
export type Statement = { readonly [key: string]: Json };

export function allow(actions: readonly string[], resources: readonly Json[], condition?: Statement): Statement {
  return {
    Effect: 'Allow',
    Action: actions,
    Resource: resources,
    ...(condition !== undefined && { Condition: condition }),
  };
}

/** A role for one service, with one policy of its own: nothing is shared between the functions. */
export function role(service: string, statements: readonly Statement[]): Resource {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
      },
      Policies: [{ PolicyName: 'offpeak', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
    },
  };
}

/** What the job may do: its namespace, its topic, its table, and the secrets that the config names. */
export function maintainRole(config: Config, network: Network): Resource {
  return role('lambda.amazonaws.com', [
    ...basics(config.stage, 'maintain'),
    allow(['cloudwatch:PutMetricData'], ['*'], { StringEquals: { 'cloudwatch:namespace': NAMESPACE } }),
    allow(['sns:Publish'], [ref(ID.topic)]),
    allow(['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:UpdateItem'], [getAtt(ID.table, 'Arn')]),
    allow(['sqs:SendMessage'], [getAtt(ID.maintainDeadLetters, 'Arn')]),
    ...readSecrets(jobSecrets(config), network),
    ...(isAttached(network) ? [networkInterfaces()] : []),
  ]);
}

/** What the Slack function may do: read one secret. */
export function notifierRole(config: Config, webhook: SecretReference, network: Network): Resource {
  return role('lambda.amazonaws.com', [
    ...basics(config.stage, 'notifySlack'),
    allow(['sqs:SendMessage'], [getAtt(ID.notifierDeadLetters, 'Arn')]),
    ...readSecrets([webhook], network),
  ]);
}

/** Its log group, and traces. */
function basics(stage: string, key: keyof typeof FUNCTIONS): readonly Statement[] {
  const group = arn('logs', `log-group:/aws/lambda/${functionName(stage, key)}:*`);
  return [
    allow(['logs:CreateLogStream', 'logs:PutLogEvents'], [group]),
    allow(['xray:PutTraceSegments', 'xray:PutTelemetryRecords'], ['*'], inThisRegion()),
  ];
}

/** The part of AWSLambdaVPCAccessExecutionRole that is about interfaces; these actions know no narrower resource. */
function networkInterfaces(): Statement {
  const actions = [
    'ec2:AssignPrivateIpAddresses',
    'ec2:CreateNetworkInterface',
    'ec2:DeleteNetworkInterface',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribeSubnets',
    'ec2:UnassignPrivateIpAddresses',
  ];
  return allow(actions, ['*'], inThisRegion());
}

function inThisRegion(): Statement {
  return { StringEquals: { 'aws:RequestedRegion': ref('AWS::Region') } };
}

function readSecrets(references: readonly SecretReference[], { secretsKeyArn }: Network): readonly Statement[] {
  const of = (source: SecretReference['source']) =>
    references.filter((reference) => reference.source === source).flatMap(secretArns);
  const grants = [
    { service: 'ssm', action: 'ssm:GetParameter', resources: unique(of('ssm')) },
    { service: 'secretsmanager', action: 'secretsmanager:GetSecretValue', resources: unique(of('secretsmanager')) },
  ].filter(({ resources }) => resources.length > 0);
  const reads = grants.map(({ action, resources }) => allow([action], resources));
  if (secretsKeyArn === '' || grants.length === 0) return reads;
  const services = grants.map(({ service }) => sub(`${service}.\${AWS::Region}.amazonaws.com`));
  return [...reads, allow(['kms:Decrypt'], [secretsKeyArn], { StringEquals: { 'kms:ViaService': services } })];
}

/** Several keys of one secret have one ARN. */
function unique(resources: readonly Json[]): readonly Json[] {
  return [...new Map(resources.map((resource) => [JSON.stringify(resource), resource])).values()];
}
