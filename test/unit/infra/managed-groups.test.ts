import { expect, test } from 'vitest';
import { discoveryEndpoints, discoveryRights, groupRights } from '../../../infra/managed-groups.ts';
import { deployable, LONELY_VPC, ofType, resourcesOf, SESSIONS, stackFile } from './stacks.ts';

const found = (id: string, discover: string) => `  - { id: ${id}, discover: ${discover} }`;
const rights = (...instances: readonly string[]) => discoveryRights(deployable(stackFile(instances)));
const here = { Ref: 'AWS::Region' };

test('the job may ask for what the config discovers, in its regions, and for nothing else', () => {
  expect(rights(SESSIONS)).toEqual([]);
  expect(
    rights(
      found('a', '{ elasticache: { tags: { offpeak: "on" } } }'),
      found('b', '{ elasticache: { groups: [b], region: eu-central-1 } }'),
      found('c', '{ elasticache: { groups: [c] } }'),
    ),
  ).toEqual([
    {
      Effect: 'Allow',
      Action: ['elasticache:DescribeCacheClusters', 'elasticache:DescribeReplicationGroups', 'tag:GetResources'],
      Resource: ['*'],
      Condition: { StringEquals: { 'aws:RequestedRegion': [here, 'eu-central-1'] } },
    },
  ]);
  expect(rights(found('d', '{ memorydb: { groups: [d] } }'))).toMatchObject([
    { Action: ['memorydb:DescribeClusters', 'tag:GetResources'] },
  ]);
});

test('the job may change parameter groups only where the config opts in, in the regions that it discovers', () => {
  const groups = (...instances: readonly string[]) => groupRights(deployable(stackFile(instances)));
  const opted = (id: string, discover: string) =>
    `  - { id: ${id}, discover: ${discover}, defrag: { through: parameter-group } }`;
  expect(groups(SESSIONS, found('a', '{ elasticache: { groups: [a] } }'))).toEqual([]);
  expect(
    groups(
      opted('a', '{ elasticache: { groups: [a] } }'),
      opted('b', '{ elasticache: { groups: [b], region: eu-central-1 } }'),
      opted('c', '{ memorydb: { groups: [c] } }'),
    ),
  ).toMatchObject([
    {
      Action: [
        'elasticache:DescribeCacheParameters',
        'elasticache:ModifyCacheParameterGroup',
        'elasticache:ResetCacheParameterGroup',
      ],
      Resource: [
        { 'Fn::Sub': expect.stringMatching(/:elasticache:\$\{AWS::Region\}:.*:parametergroup:\*$/) },
        { 'Fn::Sub': expect.stringMatching(/:elasticache:eu-central-1:.*:parametergroup:\*$/) },
      ],
    },
    { Action: ['memorydb:DescribeParameters', 'memorydb:UpdateParameterGroup', 'memorydb:ResetParameterGroup'] },
  ]);
});

test('a VPC without NAT gets the endpoints that discovery calls in its region', () => {
  const memorydb = found('d', '{ memorydb: { groups: [d] } }');
  const elsewhere = found('e', '{ elasticache: { groups: [e], region: us-east-1 } }');
  expect(discoveryEndpoints(deployable(stackFile([SESSIONS])))).toEqual([]);
  expect(discoveryEndpoints(deployable(stackFile([elsewhere])))).toEqual([]);
  expect(discoveryEndpoints(deployable(stackFile([memorydb, elsewhere])))).toEqual(['memory-db', 'tagging']);
  const made = ofType(resourcesOf(stackFile([memorydb]), LONELY_VPC), 'AWS::EC2::VPCEndpoint').map(([id]) => id);
  expect(made).toEqual(expect.arrayContaining(['EndpointMemorydb', 'EndpointTagging']));
});
