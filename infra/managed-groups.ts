import { MANAGED_SERVICES, type ManagedService } from '../core/config/iam.ts';
import type { Config } from '../core/config/schema.ts';
import { arn, type Json, ref } from './cloudformation.ts';
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

/** What switches active defrag through a parameter group, and how the ARN of one ends. */
const SWITCHING: Readonly<Record<ManagedService, { readonly actions: readonly string[]; readonly resource: string }>> =
  {
    elasticache: {
      actions: [
        'elasticache:DescribeCacheParameters',
        'elasticache:ModifyCacheParameterGroup',
        'elasticache:ResetCacheParameterGroup',
      ],
      resource: 'parametergroup:*',
    },
    memorydb: {
      actions: ['memorydb:DescribeParameters', 'memorydb:UpdateParameterGroup', 'memorydb:ResetParameterGroup'],
      resource: 'parametergroup/*',
    },
  };

/** The config with the instances only whose parameter groups may be switched. */
export function withGroups(config: Config): Config {
  return { ...config, instances: config.instances.filter(({ defrag }) => defrag.through === 'parameter-group') };
}

/**
 * Only where the config lets Offpeak switch parameter groups, and in the regions where it does. The config names tags and clusters and not
 * their groups, so that the right is for every group there; what is switched the blast radius decides (core/managed/group.ts).
 */
export function groupRights(config: Config): readonly Statement[] {
  const opted = withGroups(config);
  return MANAGED_SERVICES.flatMap((service) => {
    const { actions, resource } = SWITCHING[service];
    const all = discoveriesOf(opted, service).map(({ region }) => arn(service, resource, region));
    const arns = uniqueBy(all, (one) => JSON.stringify(one));
    return arns.length === 0 ? [] : [allow(actions, arns)];
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
