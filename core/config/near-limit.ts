import type { InstanceConfig } from './schema.ts';
import type { Bytes } from './units.ts';

type LimitPolicy = Pick<InstanceConfig, 'memoryLimit' | 'thresholds'>;

/**
 * The RSS at and above which a node is near its memory limit; undefined without a limit. The finding, the metric `NodesNearLimit`, the alarm
 * and the dashboard all use this rule. Whole bytes, since INFO and CloudWatch count whole bytes.
 */
export function nearLimitFrom({ memoryLimit, thresholds }: LimitPolicy): Bytes | undefined {
  return memoryLimit === undefined ? undefined : Math.ceil((memoryLimit * thresholds.rssCritical.percentOfLimit) / 100);
}

export function isNearLimit(usedMemoryRss: Bytes | undefined, policy: LimitPolicy): boolean {
  const from = nearLimitFrom(policy);
  return from !== undefined && usedMemoryRss !== undefined && usedMemoryRss >= from;
}
