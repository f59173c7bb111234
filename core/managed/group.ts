import type { InstanceConfig } from '../config/schema.ts';
import type { GroupName, GroupUser } from '../ports/parameter-groups.ts';

// Which parameter groups the config lets Offpeak switch, and what they serve.

/** A parameter group with the instances whose nodes use it, and that opted in. */
export interface ManagedGroup extends GroupName {
  readonly instances: readonly InstanceConfig[];
}

/** By what discovery has found; a shard that is only watched does not count. */
export function groupsIn(instances: readonly InstanceConfig[]): readonly ManagedGroup[] {
  const chosen = instances.flatMap((instance) => {
    const { service, region, parameterGroup: group } = instance.found?.managed ?? {};
    const isIts = instance.defrag.through === 'parameter-group' && instance.found?.acts !== false;
    return isIts && service && region !== undefined && group !== undefined
      ? [{ service, region, group, instance }]
      : [];
  });
  const byGroup = Map.groupBy(chosen, ({ service, region, group }) => `${service}/${region}/${group}`);
  return [...byGroup.values()].flatMap(([first, ...others]) =>
    first ? [{ ...first, instances: [first, ...others].map(({ instance }) => instance) }] : [],
  );
}

function nodeIds({ instances }: Pick<ManagedGroup, 'instances'>): ReadonlySet<string> {
  return new Set(instances.flatMap(({ nodes }) => nodes.map(({ id }) => id.toLowerCase())));
}

/** In sentences, why the group cannot be switched, whatever its nodes say. What the config does not name is named. */
export function refusals(group: ManagedGroup, users: readonly GroupUser[]): readonly string[] {
  const own = nodeIds(group);
  const foreign = users.filter(({ nodes }) => nodes.length === 0 || nodes.some((node) => !own.has(node)));
  const names = [...new Set(foreign.map(({ cluster }) => cluster))];
  const global = [...new Set(users.filter(({ isGlobal }) => isGlobal).map(({ cluster }) => cluster))];
  const unsynced = [...new Set(users.filter(({ isInSync }) => !isInSync).map(({ cluster }) => cluster))];
  return [
    ...(isDefault(group)
      ? ['AWS does not let a default group be changed: give these clusters a group of their own']
      : []),
    ...(names.length > 0
      ? [
          `it also serves ${names.join(', ')}, and a change would reach all of their nodes: let the config discover them with defrag.through: parameter-group, or give them another group`,
        ]
      : []),
    ...(global.length > 0 ? [`${global.join(', ')}: other regions share the group`] : []),
    ...(users.length === 0 ? ['AWS names no cluster that uses it'] : []),
    ...(unsynced.length > 0 ? [`AWS is still applying an earlier change to ${unsynced.join(', ')}`] : []),
  ];
}

function isDefault({ group }: Pick<GroupName, 'group'>): boolean {
  return group.toLowerCase().startsWith('default.');
}
