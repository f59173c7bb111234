import { usesQueue } from '../core/config/fleet.ts';
import type { Config } from '../core/config/schema.ts';
import { byLogicalId, type Resource, type ResourceOf, type Resources, ref, sub } from './cloudformation.ts';
import { discoveryEndpoints } from './managed-groups.ts';
import { ID } from './names.ts';
import { secretSources } from './secrets.ts';

type EndpointProperties = ResourceOf<'AWS::EC2::VPCEndpoint'>['Properties'];

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

/** The parameters are invalid. */
export class ParameterError extends Error {
  override readonly name = 'ParameterError';
  /** osls prints it for each value of serverless.yml: the lines of a stack would bury what is wrong. */
  override readonly stack = `${this.name}: ${this.message}`;
}

export function isAttached({ subnetIds }: Network): boolean {
  return subnetIds.length > 0;
}

export const KEY = [/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/, 'the ARN of a KMS key'] as const;

/** What each parameter of the network may be. */
const FORMS = {
  vpcId: [/^vpc-[0-9a-f]{8,17}$/, 'the id of a VPC, like vpc-0a1b2c3d'],
  subnetIds: [/^subnet-[0-9a-f]{8,17}$/, 'ids of subnets, like subnet-0a1b2c3d,subnet-4e5f6a7b'],
  securityGroupIds: [/^sg-[0-9a-f]{8,17}$/, 'ids of security groups, like sg-0a1b2c3d'],
  routeTableIds: [/^rtb-[0-9a-f]{8,17}$/, 'ids of route tables, like rtb-0a1b2c3d'],
  vpcEndpoints: [/^(true|false)$/, 'true or false'],
  secretsKeyArn: KEY,
} as const satisfies Readonly<Record<string, Form>>;
type Parameter = keyof typeof FORMS;

export const PARAMETERS = Object.keys(FORMS) as readonly Parameter[];
/** As text. */
export type Parameters = Readonly<Record<Parameter, string>>;

/** @throws {ParameterError} with everything that is wrong with them. */
export function readNetwork(parameters: Parameters): Network {
  const one = (text: string) => listOf(text)[0] ?? '';
  const network: Network = {
    vpcId: one(parameters.vpcId),
    subnetIds: listOf(parameters.subnetIds),
    securityGroupIds: listOf(parameters.securityGroupIds),
    routeTableIds: listOf(parameters.routeTableIds),
    endpoints: one(parameters.vpcEndpoints) === 'true',
    secretsKeyArn: one(parameters.secretsKeyArn),
  };
  const all = [
    ...PARAMETERS.flatMap((name) => problemsOf(name, FORMS[name], listOf(parameters[name]))),
    ...gapsOf(network),
  ];
  if (all.length > 0) throw new ParameterError(all.join('\n'));
  return network;
}

export function listOf(text: string): readonly string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

export type Form = readonly [form: RegExp, accepted: string];

/** What is wrong with a parameter; a name that ends in `Ids`, and `tags`, take several values. */
export function problemsOf(name: string, [form, accepted]: Form, values: readonly string[]): readonly string[] {
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
  return [
    'monitoring',
    'sns',
    ...(usesQueue(config) ? ['sqs'] : []),
    ...secretSources(config),
    ...discoveryEndpoints(config),
  ];
}

/** Interface endpoints for what the job calls, and the free gateway to DynamoDB; nothing where there is a NAT. */
export function endpoints(config: Config, network: Network): Resources {
  if (!network.endpoints) return {};
  const { vpcId, subnetIds, securityGroupIds, routeTableIds } = network;
  const endpoint = (kind: string, service: string, more: Partial<EndpointProperties>): [string, Resource] => {
    const ServiceName = sub(`com.amazonaws.\${AWS::Region}.${service}`);
    const Properties = { VpcEndpointType: kind, VpcId: vpcId, ServiceName, ...more };
    return [
      `Endpoint${service.charAt(0).toUpperCase()}${service.slice(1).replaceAll('-', '')}`,
      { Type: 'AWS::EC2::VPCEndpoint', Properties },
    ];
  };
  const inSubnets = { SubnetIds: subnetIds, SecurityGroupIds: [ref(ID.endpointGroup)], PrivateDnsEnabled: true };
  return {
    ...byLogicalId(endpointServices(config).map((service) => endpoint('Interface', service, inSubnets))),
    ...byLogicalId([endpoint('Gateway', 'dynamodb', { RouteTableIds: routeTableIds })]),
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
  };
}
