import type { InstanceConfig } from './schema.ts';
import type { Bytes } from './units.ts';

type LimitPolicy = Pick<InstanceConfig, 'memoryLimit' | 'thresholds'>;

/** What the kernel may kill the server at. */
export interface MemoryLimit {
  readonly bytes: Bytes;
  /** `memoryLimit` of the config, or the machine's memory where that is less, or all that is known. */
  readonly of: 'config' | 'machine';
}

/** `machine`: what INFO says of the machine's memory, which no container can exceed. */
export function limitOf({ memoryLimit }: Pick<LimitPolicy, 'memoryLimit'>, machine?: Bytes): MemoryLimit | undefined {
  if (memoryLimit !== undefined && memoryLimit <= (machine ?? memoryLimit)) return { bytes: memoryLimit, of: 'config' };
  return machine === undefined ? undefined : { bytes: machine, of: 'machine' };
}

/**
 * The bytes at and above which a node is near its limit; undefined without a limit. The finding, the metric `NodesNearLimit`, the
 * alarm and the dashboard all use this rule. Whole bytes, since INFO and CloudWatch count whole bytes. The alarm of a single node knows
 * `memoryLimit` only: CloudWatch does not know the machine's memory.
 */
export function nearLimitFrom(policy: LimitPolicy, machine?: Bytes): Bytes | undefined {
  const limit = limitOf(policy, machine);
  return limit && Math.ceil((limit.bytes * policy.thresholds.rssCritical.percentOfLimit) / 100);
}

/** `bytes`: what the kernel counts, RSS and the pages of a running fork. */
export function isNearLimit(bytes: Bytes | undefined, policy: LimitPolicy, machine?: Bytes): boolean {
  const from = nearLimitFrom(policy, machine);
  return from !== undefined && bytes !== undefined && bytes >= from;
}

/** Of the machine's memory; below it, a server that nothing else limits is far from trouble. */
const MACHINE_SHARE = 0.1;

/** Whether the limit deserves a word: one that the config names always does. */
export function concerns({ bytes, of }: MemoryLimit, counted: Bytes): boolean {
  return of === 'config' || counted >= MACHINE_SHARE * bytes;
}
