import type { ManagedService } from '../core/config/iam.ts';
import type { Config } from '../core/config/schema.ts';
import { arn, type Json } from './cloudformation.ts';
import { type Grant, uniqueBy } from './policies.ts';

/** How the ARNs of each service are written; both hold names in lower case. */
const SERVICES = [
  { service: 'elasticache', title: 'ConnectElastiCache', group: 'replicationgroup:', user: 'user:' },
  { service: 'memorydb', title: 'ConnectMemoryDb', group: 'cluster/', user: 'user/' },
] as const satisfies readonly { readonly service: ManagedService; readonly [key: string]: string }[];

/** What signs the job in with IAM: each right is on a group and on a user, and only for those that the config names. */
export function connectGrants({ instances }: Config): readonly Grant[] {
  return SERVICES.map(({ service, title, group, user }) => {
    const signIns = instances.flatMap(({ discover, credentials: { iam, username = '' } = {} }) =>
      iam?.service === service
        ? [{ id: iam.group ?? '*', username: username.toLowerCase(), region: discover?.[service]?.region }]
        : [],
    );
    const resources: readonly Json[] = [
      ...signIns.map(({ id, region }) => arn(service, `${group}${id}`, region)),
      ...signIns.map(({ username, region }) => arn(service, `${user}${username}`, region)),
    ];
    return { action: `${service}:Connect`, title, resources: uniqueBy(resources, (one) => JSON.stringify(one)) };
  }).filter(({ resources }) => resources.length > 0);
}
