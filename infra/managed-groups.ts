import { MANAGED_SERVICES, type ManagedService } from '../core/config/iam.ts';
import type { Config } from '../core/config/schema.ts';
import { type Json, ref } from './cloudformation.ts';
import { allow, type Statement, uniqueBy } from './policies.ts';

/** What discovery of each service calls, and how PrivateLink names the service. */
const SERVICES: Readonly<Record<ManagedService, { readonly actions: readonly string[]; readonly endpoint: string }>> = {
  elasticache: {
    actions: ['elasticache:DescribeCacheClusters', 'elasticache:DescribeReplicationGroups', 'tag:GetResources'],
    endpoint: 'elasticache',
  },
  memorydb: { actions: ['memorydb:DescribeClusters', 'tag:GetResources'], endpoint: 'memory-db' },
};

/** The rights to find nodes, in the regions where the config does: calls that list everything take no narrower resource. */
export function discoveryRights(config: Config): readonly Statement[] {
  return MANAGED_SERVICES.flatMap((service) => {
    const regions: readonly Json[] = discoveriesOf(config, service).map(({ region }) => region ?? ref('AWS::Region'));
    if (regions.length === 0) return [];
    const inThem = { StringEquals: { 'aws:RequestedRegion': uniqueBy(regions, (one) => JSON.stringify(one)) } };
    return [allow(SERVICES[service].actions, ['*'], inThem)];
  });
}

/** The services that discovery calls in the region of the job. */
export function discoveryEndpoints(config: Config): readonly string[] {
  const used = MANAGED_SERVICES.filter((service) =>
    discoveriesOf(config, service).some(({ region }) => region === undefined),
  );
  return used.length === 0 ? [] : [...used.map((service) => SERVICES[service].endpoint), 'tagging'];
}

function discoveriesOf({ instances }: Config, service: ManagedService): readonly { readonly region?: string }[] {
  return instances.flatMap(({ discover }) => discover?.[service] ?? []);
}
