import { parseConfig } from '../../../core/config/parse.ts';
import { formatProblems } from '../../../core/config/problem.ts';
import type { Config } from '../../../core/config/schema.ts';
import type { Intrinsic, Json, Resource, ResourceOf, Resources, ResourceType } from '../../../infra/cloudformation.ts';
import type { Network } from '../../../infra/network.ts';
import { template } from '../../../infra/template.ts';

export const NO_NETWORK: Network = {
  vpcId: '',
  subnetIds: [],
  securityGroupIds: [],
  routeTableIds: [],
  endpoints: false,
  secretsKeyArn: '',
};

/** A VPC without NAT. */
export const LONELY_VPC: Network = {
  vpcId: 'vpc-0a1b2c3d',
  subnetIds: ['subnet-0a1b2c3d', 'subnet-4e5f6a7b'],
  securityGroupIds: ['sg-0a1b2c3d'],
  routeTableIds: ['rtb-0a1b2c3d'],
  endpoints: true,
  secretsKeyArn: '',
};

export const SESSIONS = '  - { id: sessions, url: "redis://sessions.example", memoryLimit: 6GiB }';
export const CARTS = [
  '  - id: carts',
  '    nodes: ["rediss://carts-1.example", "rediss://carts-2.example"]',
  '    credentials: { username: offpeak, password: "secretsmanager:carts#password" }',
  '    memoryLimit: 16GiB',
  '    metrics: detailed',
].join('\n');
export const QUEUE = '  - { id: queue, url: "redis://10.0.0.9", windows: [] }';

const SHARED = [
  'defaults:',
  '  timezone: Europe/Berlin',
  '  windows: [{ days: daily, start: "02:00", duration: 3h }]',
  'notifications: { emails: [redis-team@redis.example], slack: { webhook: ssm:/offpeak/slack } }',
  'runbook: https://wiki.redis.example/offpeak',
].join('\n');

/** A file with these instances, and everything that a stack can have. */
export function stackFile(instances: readonly string[] = [SESSIONS, CARTS, QUEUE], more = ''): string {
  return [SHARED, more, 'instances:', ...instances].join('\n');
}

/** The configuration of a file that must be fit for deployment. */
export function deployable(yaml: string, stage = 'prod'): Config {
  const result = parseConfig(yaml, stage, 'deploy');
  if (!result.ok) throw new Error(`not accepted:\n${formatProblems(result.problems)}`);
  return result.config;
}

export function resourcesOf(yaml: string = stackFile(), network: Network = NO_NETWORK): Resources {
  return template(deployable(yaml), network).Resources;
}

/** With more nodes than have alarms of their own. */
export function fleetFile(nodes: number, more = ''): string {
  return stackFile(
    Array.from(
      { length: nodes },
      (_, n) => `  - { id: node-${n}, url: "redis://node-${n}.example", memoryLimit: 1GiB }`,
    ),
    more,
  );
}

/** With as many instances, each with a password of its own: `reference(n)`. */
export function secretsFile(secrets: number, reference = (n: number) => `ssm:/offpeak/prod/node-${n}/redis`): string {
  return stackFile(
    Array.from(
      { length: secrets },
      (_, n) => `  - { id: node-${n}, url: "redis://node-${n}", credentials: { password: "${reference(n)}" } }`,
    ),
  );
}

/** The resources of one type, with their logical ids. */
export function ofType<Type extends ResourceType>(
  resources: Resources,
  type: Type,
): readonly (readonly [id: string, resource: ResourceOf<Type>])[] {
  const isOfType = (resource: Resource): resource is Extract<Resource, ResourceOf<Type>> => resource.Type === type;
  return Object.entries(resources).flatMap(([id, resource]) => (isOfType(resource) ? [[id, resource]] : []));
}

/** What a resource of any type says, by the names that several types share. */
export function propertiesOf(resource: Resource | undefined): Readonly<Record<string, Json | undefined>> {
  return resource?.Properties ?? {};
}

/** What a metric of an alarm is called, with its namespace and dimensions; several of metric math. */
interface ReadMetric {
  readonly namespace: Json;
  readonly name: Json;
  readonly dimensions: Readonly<Record<string, Json>>;
}

export type Alarm = ResourceOf<'AWS::CloudWatch::Alarm'>['Properties'];

export function metricsRead({ Metrics, ...own }: Partial<Alarm>): readonly ReadMetric[] {
  const read =
    Metrics === undefined
      ? [own]
      : listOf(Metrics).flatMap(({ MetricStat }) => (MetricStat ? [MetricStat.Metric] : []));
  return read.map(({ Namespace = '', MetricName = '', Dimensions }) => ({
    namespace: Namespace,
    name: MetricName,
    dimensions: Object.fromEntries(listOf(Dimensions).map(({ Name, Value }) => [Name, Value])),
  }));
}

/** A list of the template; none of ours is left to CloudFormation. */
export function listOf<Item>(list: readonly Item[] | Intrinsic | undefined): readonly Item[] {
  return Array.isArray(list) ? list : [];
}
