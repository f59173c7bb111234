import { describe, expect, test } from 'vitest';
import { PARAMETERS, type Parameters, readNetwork } from '../../../infra/network.ts';
import { LONELY_VPC, NO_NETWORK } from './stacks.ts';

const NONE = Object.fromEntries(PARAMETERS.map((name) => [name, ''])) as Parameters;
const VPC = { subnetIds: 'subnet-0a1b2c3d', securityGroupIds: 'sg-0a1b2c3d' };

test('no parameters mean no VPC', () => {
  expect(readNetwork(NONE)).toEqual(NO_NETWORK);
});

test('lists are separated by commas, with or without spaces', () => {
  const subnetIds = 'subnet-0a1b2c3d, subnet-4e5f6a7b';
  const lonely = { ...VPC, subnetIds, vpcId: 'vpc-0a1b2c3d', routeTableIds: 'rtb-0a1b2c3d', vpcEndpoints: 'true' };
  expect(readNetwork({ ...NONE, ...lonely })).toEqual(LONELY_VPC);
});

describe('a wrong parameter is refused by name', () => {
  test.each<[Partial<Parameters>, string]>([
    [{ ...VPC, subnetIds: 'subnet-' }, 'parameter subnetIds: "subnet-" is not'],
    [{ ...VPC, subnetIds: 'sg-0a1b2c3d' }, 'parameter subnetIds: "sg-0a1b2c3d" is not'],
    [{ ...VPC, vpcEndpoints: 'yes' }, 'parameter vpcEndpoints: "yes" is not true or false'],
    [{ ...VPC, vpcId: 'vpc-0a1b2c3d,vpc-4e5f6a7b' }, 'parameter vpcId: has 2 values; accepted: one'],
    [{ secretsKeyArn: 'alias/mine' }, 'parameter secretsKeyArn: "alias/mine" is not the ARN of a KMS key'],
    [{ subnetIds: 'subnet-0a1b2c3d' }, 'parameter securityGroupIds: is required with subnetIds'],
    [{ securityGroupIds: 'sg-0a1b2c3d' }, 'parameter subnetIds: is required with any other parameter of the VPC'],
    [{ vpcEndpoints: 'true' }, 'parameter subnetIds: is required with any other parameter of the VPC'],
    [{ ...VPC, vpcEndpoints: 'true' }, 'parameter vpcId: is required with vpcEndpoints=true'],
    [{ ...VPC, vpcEndpoints: 'true', vpcId: 'vpc-0a1b2c3d' }, 'parameter routeTableIds: is required'],
  ])('%o', (parameters, message) => {
    expect(() => readNetwork({ ...NONE, ...parameters })).toThrow(message);
  });

  test('together with every other one', () => {
    const wrong = { ...NONE, subnetIds: 'x', vpcEndpoints: 'y' };
    expect(() => readNetwork(wrong)).toThrow(
      /subnetIds: "x"[\s\S]*vpcEndpoints: "y"[\s\S]*securityGroupIds: is required/,
    );
  });
});
