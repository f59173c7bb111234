import type { NodeAddress } from '../config/address.ts';
import type { Config, InstanceConfig } from '../config/schema.ts';

/** A node to be observed. */
export interface NodeTarget {
  readonly instance: InstanceConfig;
  readonly node: NodeAddress;
}

/** The nodes that the config names itself, in its order. */
export function staticTargets({ instances }: Config): readonly NodeTarget[] {
  return instances.flatMap((instance) => instance.nodes.map((node) => ({ instance, node })));
}
