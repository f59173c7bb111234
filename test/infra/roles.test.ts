import { describe, expect, test } from 'vitest';
import type { Json, Resource } from '../../infra/cloudformation.ts';
import { CARTS, LONELY_VPC, ofType, resourcesOf, stackFile } from './stacks.ts';

interface Statement {
  readonly Action: readonly string[];
  readonly Resource: readonly Json[];
  readonly Condition?: Json;
}

function statementsOf({ Properties }: Resource): readonly Statement[] {
  const policies = Properties.Policies as unknown as readonly { PolicyDocument: { Statement: readonly Statement[] } }[];
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

  test('have rights on network interfaces only inside a VPC, and on a key only where there is one', () => {
    const { MaintainRole } = resourcesOf();
    if (MaintainRole === undefined) throw new Error('no role');
    const outside = statementsOf(MaintainRole).flatMap(({ Action }) => Action);
    expect(outside.filter((action) => /^(ec2|kms):/.test(action))).toEqual([]);
    expect(actionsOf('MaintainRole')).toContain('ec2');
    expect(actionsOf('NotifySlackRole')).not.toContain('ec2');
  });
});
