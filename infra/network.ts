import type { Config } from '../core/config/schema.ts';
import { byLogicalId, type Resources, ref, sub } from './cloudformation.ts';
import type { Intrinsic } from './json.ts';
import { ID } from './names.ts';
import type { Resource } from './resource-types.ts';
import { secretSources } from './secrets.ts';

/** Where the job runs, from the parameters of the deployment; everything empty means outside of any VPC. */
export interface Network {
  readonly vpcId: string;
  readonly subnetIds: readonly string[];
  readonly securityGroupIds: readonly string[];
  /** For the gateway to DynamoDB. */
  readonly routeTableIds: readonly string[];
  /** Whether to create the endpoints that a VPC without NAT needs. */
  readonly endpoints: boolean;
  /** The customer's key with which the secrets are encrypted, where it is not AWS' own. */
  readonly secretsKeyArn: string;
}

/** The parameters of serverless.yml, as text. */
export const PARAMETERS = [
  'vpcId',
  'subnetIds',
  'securityGroupIds',
  'routeTableIds',
  'vpcEndpoints',
  'secretsKeyArn',
] as const;
export type Parameters = Readonly<Record<(typeof PARAMETERS)[number], string>>;

/** The parameters are invalid. */
export class ParameterError extends Error {
  override readonly name = 'ParameterError';
}

export function isAttached({ subnetIds }: Network): boolean {
  return subnetIds.length > 0;
}

const KEY = [/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/, 'the ARN of a KMS key'] as const;

const FORMS: Readonly<Record<string, readonly [form: RegExp, accepted: string]>> = {
  vpcId: [/^vpc-[0-9a-f]{8,17}$/, 'the id of a VPC, like vpc-0a1b2c3d'],
  subnetIds: [/^subnet-[0-9a-f]{8,17}$/, 'ids of subnets, like subnet-0a1b2c3d,subnet-4e5f6a7b'],
  securityGroupIds: [/^sg-[0-9a-f]{8,17}$/, 'ids of security groups, like sg-0a1b2c3d'],
  routeTableIds: [/^rtb-[0-9a-f]{8,17}$/, 'ids of route tables, like rtb-0a1b2c3d'],
  vpcEndpoints: [/^(true|false)$/, 'true or false'],
  secretsKeyArn: KEY,
  keyArn: KEY,
  alertTopicArn: [
    /^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/,
    'the ARN of a standard SNS topic, like arn:aws:sns:eu-west-1:123456789012:alerts',
  ],
  permissionsBoundaryArn: [/^arn:aws[a-z-]*:iam::(?:\d{12}|aws):policy\/[\w+=,.@/-]+$/, 'the ARN of an IAM policy'],
  tags: [/^(?!aws:)[\w .:/+@-]{1,128}=[\w .:/+@=-]{0,256}$/i, 'tags, like team=cache,cost-center=12'],
};

/** @throws {ParameterError} with everything that is wrong with them. */
export function readNetwork(parameters: Parameters): Network {
  const lists = Object.fromEntries(PARAMETERS.map((name) => [name, listOf(parameters[name])]));
  const problems = PARAMETERS.flatMap((name) => problemsOf(name, lists[name] ?? []));
  const network: Network = {
    vpcId: lists.vpcId?.[0] ?? '',
    subnetIds: lists.subnetIds ?? [],
    securityGroupIds: lists.securityGroupIds ?? [],
    routeTableIds: lists.routeTableIds ?? [],
    endpoints: lists.vpcEndpoints?.[0] === 'true',
    secretsKeyArn: lists.secretsKeyArn?.[0] ?? '',
  };
  const all = [...problems, ...gapsOf(network)];
  if (all.length > 0) throw new ParameterError(all.join('\n'));
  return network;
}

export function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

export function problemsOf(name: string, values: readonly string[]): readonly string[] {
  const [form, accepted] = FORMS[name] ?? [/^/, ''];
  const isList = name.endsWith('Ids') || name === 'tags';
  const bad = values.filter((value) => !form.test(value));
  const many = !isList && values.length > 1 ? [`parameter ${name}: has ${values.length} values; accepted: one`] : [];
  return [...bad.map((value) => `parameter ${name}: ${JSON.stringify(value)} is not ${accepted}`), ...many];
}

function gapsOf({ vpcId, subnetIds, securityGroupIds, routeTableIds, endpoints }: Network): readonly string[] {
  if (subnetIds.length === 0) {
    const needless = [...securityGroupIds, ...routeTableIds, vpcId].some((id) => id !== '') || endpoints;
    return needless ? ['parameter subnetIds: is required with any other parameter of the VPC'] : [];
  }
  return [
    ...(securityGroupIds.length === 0 ? ['parameter securityGroupIds: is required with subnetIds'] : []),
    ...(endpoints && vpcId === '' ? ['parameter vpcId: is required with vpcEndpoints=true'] : []),
    ...(endpoints && routeTableIds.length === 0
      ? ['parameter routeTableIds: is required with vpcEndpoints=true, for the gateway to DynamoDB']
      : []),
  ];
}

/** The services that the job calls from inside the VPC. If an endpoint is missing, the call hangs. */
export function endpointServices(config: Config): readonly string[] {
  return ['monitoring', 'sns', ...secretSources(config)];
}

/** Interface endpoints for what the job calls, and the free gateway to DynamoDB; nothing where there is a NAT. */
export function endpoints(config: Config, network: Network): Resources {
  if (!network.endpoints) return {};
  const { vpcId, subnetIds, securityGroupIds, routeTableIds } = network;
  const interfaces = endpointServices(config).map((service): [string, Resource] => {
    const Properties = {
      VpcEndpointType: 'Interface',
      VpcId: vpcId,
      ServiceName: serviceName(service),
      SubnetIds: subnetIds,
      SecurityGroupIds: [ref(ID.endpointGroup)],
      PrivateDnsEnabled: true,
    };
    return [
      `Endpoint${service.charAt(0).toUpperCase()}${service.slice(1)}`,
      { Type: 'AWS::EC2::VPCEndpoint', Properties },
    ];
  });
  return {
    ...byLogicalId(interfaces),
    [ID.endpointGroup]: {
      Type: 'AWS::EC2::SecurityGroup',
      Properties: {
        GroupDescription: 'Lets the functions of Offpeak reach the AWS services that they call',
        VpcId: vpcId,
        SecurityGroupIngress: securityGroupIds.map((id) => ({
          IpProtocol: 'tcp',
          FromPort: 443,
          ToPort: 443,
          SourceSecurityGroupId: id,
        })),
      },
    },
    EndpointDynamodb: {
      Type: 'AWS::EC2::VPCEndpoint',
      Properties: {
        VpcEndpointType: 'Gateway',
        VpcId: vpcId,
        ServiceName: serviceName('dynamodb'),
        RouteTableIds: routeTableIds,
      },
    },
  };
}

function serviceName(service: string): Intrinsic {
  return sub(`com.amazonaws.\${AWS::Region}.${service}`);
}
