import { describe, expect, test } from 'vitest';
import { formatProblems } from '../../../core/config/problem.ts';
import type { Json, Resource } from '../../../infra/cloudformation.ts';
import { connectGrants } from '../../../infra/iam-users.ts';
import { rightsProblems } from '../../../infra/roles.ts';
import { CARTS, deployable, LONELY_VPC, ofType, propertiesOf, resourcesOf, secretsFile, stackFile } from './stacks.ts';

interface Statement {
  readonly Action: readonly string[];
  readonly Resource: readonly Json[];
  readonly Condition?: Json;
}

/** In a partition and a region with long names, and with the longest names that CloudFormation could give. */
const FILLED_IN: readonly (readonly [written: RegExp, value: string])[] = [
  [/\$\{AWS::Partition\}/g, 'aws-us-gov'],
  [/\$\{AWS::Region\}/g, 'ap-southeast-1'],
  [/\$\{AWS::AccountId\}/g, '123456789012'],
  [/\{"Fn::Sub":("[^"]*")\}/g, '$1'],
  [
    /\{"(?:Ref|Fn::GetAtt)":[^}]*\}/g,
    '"arn:aws-us-gov:dynamodb:ap-southeast-1:123456789012:table/offpeak-prod-StateTable-ABCDEFGHIJKL"',
  ],
];

/** As IAM counts them: without white space, of which JSON.stringify writes none. */
function charactersOf(policyDocument: unknown): number {
  return FILLED_IN.reduce((text, [written, value]) => text.replace(written, value), JSON.stringify(policyDocument))
    .length;
}

function statementsOf(role: Resource): readonly Statement[] {
  const policies = propertiesOf(role).Policies as unknown as readonly {
    PolicyDocument: { Statement: readonly Statement[] };
  }[];
  return policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

describe('roles', () => {
  const resources = resourcesOf(stackFile(), LONELY_VPC);
  const roles = Object.fromEntries(ofType(resources, 'AWS::IAM::Role').map(([id, role]) => [id, statementsOf(role)]));
  const actionsOf = (role: string) =>
    (roles[role] ?? []).flatMap(({ Action }) => Action).map((action) => action.split(':')[0]);

  test('have no wildcard resource without a condition, and no wildcard action', () => {
    for (const { Action, Resource, Condition } of Object.values(roles).flat()) {
      if (Resource.includes('*')) expect(Condition).toBeDefined();
      expect(Action.join()).not.toContain('*');
    }
  });

  test('F18: of the schedule is taken for schedules of this account and region alone', () => {
    const { AssumeRolePolicyDocument } = propertiesOf(resources.ScheduleRole);
    const { Statement } = AssumeRolePolicyDocument as unknown as { readonly Statement: readonly Json[] };
    expect(Statement).toEqual([
      {
        Effect: 'Allow',
        Principal: { Service: 'scheduler.amazonaws.com' },
        Action: 'sts:AssumeRole',
        Condition: {
          StringEquals: {
            'aws:SourceAccount': { Ref: 'AWS::AccountId' },
            'aws:SourceArn': {
              'Fn::Sub': `arn:\${AWS::Partition}:scheduler:\${AWS::Region}:\${AWS::AccountId}:schedule-group/default`,
            },
          },
        },
      },
    ]);
  });

  test('of the job publishes into its own namespace only', () => {
    expect(roles.MaintainRole).toContainEqual({
      Effect: 'Allow',
      Action: ['cloudwatch:PutMetricData'],
      Resource: ['*'],
      Condition: { StringEquals: { 'cloudwatch:namespace': 'Offpeak' } },
    });
  });

  test('read the secrets that the config names, each function its own', () => {
    const secretsOf = (role: string) =>
      (roles[role] ?? [])
        .filter(({ Action }) => /^(ssm|secretsmanager):/.test(String(Action)))
        .flatMap(({ Resource }) => Resource);
    const arn = `arn:\${AWS::Partition}`;
    const here = `\${AWS::Region}:\${AWS::AccountId}`;
    expect(secretsOf('MaintainRole')).toEqual([{ 'Fn::Sub': `${arn}:secretsmanager:${here}:secret:carts-??????` }]);
    expect(secretsOf('NotifySlackRole')).toEqual([{ 'Fn::Sub': `${arn}:ssm:${here}:parameter/offpeak/slack` }]);
  });

  test.each([['redis-prod01'], ['redis-prod01-AbC1z9'], ['redis']])(
    'read the secret with the ARN …:%s, whether or not it ends in what Secrets Manager adds',
    (name) => {
      const arn = `arn:aws:secretsmanager:eu-west-1:123456789012:secret:${name}`;
      const yaml = stackFile([CARTS.replace('secretsmanager:carts#password', `secretsmanager:${arn}#password`)]);
      const { MaintainRole } = resourcesOf(yaml);
      if (MaintainRole === undefined) throw new Error('no role');
      const reads = statementsOf(MaintainRole).filter(({ Action }) => Action.includes('secretsmanager:GetSecretValue'));
      expect(reads.map(({ Resource }) => Resource)).toEqual([[arn, `${arn}-??????`]]);
    },
  );

  test('sign in with IAM to the groups and as the users that the config names, in lower case', () => {
    const signIn = (id: string, credentials: string) =>
      `  - { id: ${id}, url: "rediss://${id}.example", credentials: { username: ${credentials} } }`;
    const yaml = stackFile([
      signIn('a', 'OffPeak, iam: { elasticache: Carts }'),
      signIn('b', 'offpeak, iam: { elasticache: sessions }'),
      signIn('c', 'offpeak, iam: { memorydb: ledger }'),
    ]);
    const { MaintainRole } = resourcesOf(yaml);
    if (MaintainRole === undefined) throw new Error('no role');
    const rights = statementsOf(MaintainRole).filter(({ Action }) => /:Connect$/.test(Action.join()));
    const here = `:\${AWS::Region}:\${AWS::AccountId}:`;
    const arns = (service: string, ...names: readonly string[]) =>
      names.map((name) => ({ 'Fn::Sub': `arn:\${AWS::Partition}:${service}${here}${name}` }));
    expect(rights).toEqual([
      {
        Effect: 'Allow',
        Action: ['elasticache:Connect'],
        Resource: arns('elasticache', 'replicationgroup:carts', 'replicationgroup:sessions', 'user:offpeak'),
      },
      {
        Effect: 'Allow',
        Action: ['memorydb:Connect'],
        Resource: arns('memorydb', 'cluster/ledger', 'user/offpeak'),
      },
    ]);
    expect(JSON.stringify(resourcesOf())).not.toContain(':Connect');
  });

  test('sign in to each group of an instance that names none, as its user alone', () => {
    const config = deployable(stackFile());
    const [first, ...others] = config.instances;
    if (first === undefined) throw new Error('no instance');
    const found = { ...first, credentials: { username: 'offpeak', iam: { service: 'memorydb' } } } as const;
    const [grant] = connectGrants({ ...config, instances: [found, ...others] });
    expect(JSON.stringify(grant?.resources)).toMatch(/:cluster\/\*".*:user\/offpeak"/);
  });

  test('have rights on network interfaces only inside a VPC, and on a key only where there is one', () => {
    const { MaintainRole } = resourcesOf();
    if (MaintainRole === undefined) throw new Error('no role');
    const outside = statementsOf(MaintainRole).flatMap(({ Action }) => Action);
    expect(outside.filter((action) => /^(ec2|kms):/.test(action))).toEqual([]);
    expect(actionsOf('MaintainRole')).toContain('ec2');
    expect(actionsOf('NotifySlackRole')).not.toContain('ec2');
  });
});

describe('more secrets than a role can name by itself', () => {
  const rightsOf = (yaml: string, network = LONELY_VPC) => {
    const resources = resourcesOf(yaml, network);
    const policies = ofType(resources, 'AWS::IAM::ManagedPolicy');
    const { MaintainRole } = resources;
    if (MaintainRole === undefined) throw new Error('no role');
    const own = statementsOf(MaintainRole);
    const theirs = policies.flatMap(([, { Properties }]) => documentOf(Properties.PolicyDocument).Statement);
    return { role: MaintainRole, own, policies, secrets: [...own, ...theirs].filter(readsSecrets) };
  };
  const documentOf = (document: unknown) => document as { readonly Statement: readonly Statement[] };
  const readsSecrets = ({ Action }: Statement) =>
    /^(ssm:GetParameter|secretsmanager:GetSecretValue)$/.test(Action.join());
  const long = (n: number) => `secretsmanager:offpeak/production/a-team-with-a-name/${n}`;
  const both = (n: number) => (n % 2 === 0 ? long(n) : `ssm:/offpeak/${n}`);

  test.each([
    [3, undefined],
    [70, undefined],
    [120, undefined],
    [200, undefined],
    [200, long],
    [200, both],
    [500, undefined],
  ])('%i are all granted, within what IAM takes of a role and of a policy', (count, reference) => {
    const { role, own, policies, secrets } = rightsOf(secretsFile(count, reference));
    const granted = secrets.flatMap(({ Resource }) => Resource.map((one) => JSON.stringify(one)));
    expect(granted).toHaveLength(count);
    expect(new Set(granted).size).toBe(count);
    expect(charactersOf(documentOf({ Version: '2012-10-17', Statement: own }))).toBeLessThanOrEqual(10_240);
    expect(policies.length).toBeLessThanOrEqual(10);
    for (const [, { Properties }] of policies) {
      expect(charactersOf(Properties.PolicyDocument)).toBeLessThanOrEqual(6_144);
    }
    // By the role itself: a policy that names its role may come after the function's first run.
    const attached = (propertiesOf(role).ManagedPolicyArns ?? []) as readonly { readonly Ref: string }[];
    expect(attached.map(({ Ref }) => Ref).toSorted()).toEqual(policies.map(([id]) => id));
  });

  test('few are where they were, in the one policy of the role', () => {
    const { role, own, policies, secrets } = rightsOf(secretsFile(70));
    expect(policies).toEqual([]);
    expect(Object.keys(role.Properties)).toEqual(['AssumeRolePolicyDocument', 'Policies']);
    expect(own.filter(readsSecrets)).toEqual(secrets);
    expect(secrets).toHaveLength(1);
  });

  test('are as full as they may be: 200 take 4 policies, which the order of the file does not change', () => {
    const yaml = secretsFile(200);
    const [head = '', ...instances] = yaml.split(/^(?= {2}- )/m);
    const { policies } = rightsOf(yaml);
    expect(policies.map(([id]) => id)).toEqual([1, 2, 3, 4].map((n) => `MaintainSecretsSsm${n}`));
    expect(rightsOf([head, ...instances.map((one) => one.trimEnd()).reverse()].join('\n')).policies).toEqual(policies);
  });

  test('with a key of one’s own, the key stays in the role, for both services', () => {
    const { own } = rightsOf(secretsFile(200, both), { ...LONELY_VPC, secretsKeyArn: 'arn:aws:kms:eu-west-1:1:key/a' });
    const decrypts = own.filter(({ Action }) => Action.includes('kms:Decrypt'));
    expect(JSON.stringify(decrypts)).toMatch(/ssm\.\$\{AWS::Region\}.*secretsmanager\.\$\{AWS::Region\}/);
  });

  test('that no role could read are refused, with their number and what to do', () => {
    const problems = (yaml: string) => formatProblems(rightsProblems(deployable(yaml)), 'config/prod.yml');
    expect(problems(secretsFile(500))).toBe('');
    expect(problems(secretsFile(900))).toBe(
      'config/prod.yml instances: 900 secrets are named: the right to use them takes 16 IAM policies, and a role has 10 at most; accepted: fewer: passwords as keys of one secret of Secrets Manager (secretsmanager:redis#carts), or a stage for each team',
    );
    const groups = (count: number) =>
      stackFile(
        Array.from(
          { length: count },
          (_, n) =>
            `  - { id: g-${n}, url: "rediss://g-${n}", credentials: { username: offpeak, iam: { elasticache: g-${n} } } }`,
        ),
      );
    expect(problems(groups(500))).toBe('');
    expect(problems(groups(1000))).toMatch(
      / 1001 groups and users of IAM are named: the right to use them takes 1\d IAM policies/,
    );
    expect(problems(secretsFile(900, (n) => `secretsmanager:redis#node-${n}`))).toBe('');
  });
});
