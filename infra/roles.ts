import { printSecretReference, type SecretReference } from '../core/config/address.ts';
import type { ConfigProblem } from '../core/config/problem.ts';
import type { Config } from '../core/config/schema.ts';
import { NAMESPACE } from '../core/domain/metric.ts';
import { arn, getAtt, type Intrinsic, type ResourceOf, type Resources, ref } from './cloudformation.ts';
import { type FUNCTIONS, functionName, type JobFunction, jobFunctions } from './functions.ts';
import { connectGrants } from './iam-users.ts';
import { discoveryRights, groupRights, withGroups } from './managed-groups.ts';
import { ID } from './names.ts';
import { isAttached, type Network } from './network.ts';
import { allow, charactersOf, type Grant, managedPolicies, policy, type Statement } from './policies.ts';
import { decryptSecrets, jobSecrets, secretGrants } from './secrets.ts';

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
/** Unless an account's quota was raised. */
const MOST_POLICIES = 10;

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

/** What each function of the job runs as. */
export function jobRoles(config: Config, network: Network): Resources {
  return Object.assign({}, ...jobFunctions(config).map((key) => jobRole(config, network, key)));
}

const JOB_ROLE = { maintain: ID.maintainRole, dispatch: ID.dispatchRole, work: ID.workRole } as const;

/**
 * What a function of the job may do: its namespace, its topic, its table, its queues, the secrets that it reads, and sign in to its groups with
 * IAM. Some 80 of those fit beside the rest; more are in policies of their own.
 */
function jobRole(written: Config, network: Network, key: JobFunction): Resources {
  const config = { ...written, instances: instancesFor(key, written) };
  const secrets = jobSecrets(config);
  const grants = jobGrants(config);
  const statementsWith = (granted: readonly Statement[]) => [
    ...basics(config.stage, key),
    allow(
      ['cloudwatch:PutMetricData'],
      ['*'],
      // What is sent by OTLP has no namespace.
      config.metrics.send === 'otlp' ? IN_THIS_REGION : { StringEquals: { 'cloudwatch:namespace': NAMESPACE } },
    ),
    allow(['sns:Publish'], [ref(ID.topic)]),
    allow(
      ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:Query', 'dynamodb:UpdateItem'],
      [getAtt(ID.table, 'Arn')],
    ),
    ...queueRights(key),
    ...granted,
    ...discoveryRights(key === 'work' ? withGroups(config) : config),
    ...(key === 'dispatch' ? [] : groupRights(config)),
    ...decryptSecrets(secrets, network.secretsKeyArn),
    ...(isAttached(network) ? [allow(INTERFACES, ['*'], IN_THIS_REGION)] : []),
  ];
  const id = JOB_ROLE[key];
  const all = statementsWith(grants.map(({ action, resources }) => allow([action], resources)));
  if (charactersOf(all) <= MOST_INLINE) return { [id]: role(LAMBDA, all) };
  const managed = managedPolicies(key.charAt(0).toUpperCase() + key.slice(1), grants);
  return {
    ...managed,
    [id]: role(LAMBDA, statementsWith([]), { managed: Object.keys(managed).map(ref) }),
  };
}

/** A dispatch connects to the nodes that it asks for others; a worker discovers nothing. */
function instancesFor(key: JobFunction, { instances }: Config): Config['instances'] {
  if (key === 'dispatch') return instances.filter(({ discover }) => discover);
  // The region of its groups is in `discover`; the secrets of sentinels are not for it.
  return key !== 'work'
    ? instances
    : instances.map(({ discover, ...one }) =>
        discover === undefined || discover.sentinel ? one : { ...one, discover },
      );
}

function queueRights(key: JobFunction): readonly Statement[] {
  if (key === 'work') return [takeFrom(ID.batchQueue)];
  const to = key === 'dispatch' ? [ID.maintainDeadLetters, ID.batchQueue] : [ID.maintainDeadLetters];
  return [
    allow(
      ['sqs:SendMessage'],
      to.map((id) => getAtt(id, 'Arn')),
    ),
  ];
}

function takeFrom(queue: string): Statement {
  return allow(['sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ReceiveMessage'], [getAtt(queue, 'Arn')]);
}

/** What grows with the config. */
function jobGrants(config: Config): readonly Grant[] {
  return [...secretGrants(jobSecrets(config)), ...connectGrants(config)];
}

/** A problem, if no role can have all the rights that the config asks for: AWS would refuse in the middle of a deployment. */
export function rightsProblems(config: Config): readonly ConfigProblem[] {
  const policies = Object.keys(managedPolicies('', jobGrants(config))).length;
  if (policies <= MOST_POLICIES) return [];
  const secrets = new Set(
    jobSecrets(config).map((one) => (one.source === 'secretsmanager' ? one.id : printSecretReference(one))),
  ).size;
  const signIns = connectGrants(config).reduce((sum, { resources }) => sum + resources.length, 0);
  const named = [
    ...(secrets > 0 ? [`${secrets} secrets`] : []),
    ...(signIns > 0 ? [`${signIns} groups and users of IAM`] : []),
  ].join(' and ');
  return [
    {
      path: 'instances',
      value: '',
      message: `${named} are named: the right to use them takes ${policies} IAM policies, and a role has ${MOST_POLICIES} at most`,
      accepted:
        'fewer: passwords as keys of one secret of Secrets Manager (secretsmanager:redis#carts), or a stage for each team',
    },
  ];
}

/** What the Slack function may do: take from its queue, and read one secret. */
export function notifierRole(config: Config, webhook: SecretReference, network: Network): ResourceOf<'AWS::IAM::Role'> {
  return role(LAMBDA, [
    ...basics(config.stage, 'notifySlack'),
    takeFrom(ID.notifierQueue),
    ...secretGrants([webhook]).map(({ action, resources }) => allow([action], resources)),
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
