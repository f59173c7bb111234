import type { Activity, DefragState } from '../../domain/observation.ts';
import { present } from '../../domain/present.ts';
import { type InfoFields, numberField } from './info.ts';

export function activity(fields: InfoFields): Omit<Activity, 'ownCommands'> {
  return present({
    totalCommandsProcessed: numberField(fields, 'total_commands_processed'),
    evictedKeys: numberField(fields, 'evicted_keys'),
    cpuSeconds: cpuSeconds(fields),
  });
}

/** That of the main thread since 6.2, that of the whole process before: what clients wait for. */
function cpuSeconds(fields: InfoFields): number | undefined {
  const user = numberField(fields, 'used_cpu_user_main_thread') ?? numberField(fields, 'used_cpu_user');
  const system = numberField(fields, 'used_cpu_sys_main_thread') ?? numberField(fields, 'used_cpu_sys');
  return user === undefined || system === undefined ? undefined : user + system;
}

export function defragCounters(fields: InfoFields): Omit<DefragState, 'settings' | 'odd' | 'latency' | 'cycles'> {
  const keyHits = numberField(fields, 'active_defrag_key_hits');
  const keyMisses = numberField(fields, 'active_defrag_key_misses');
  return present({
    running: numberField(fields, 'active_defrag_running'),
    hits: numberField(fields, 'active_defrag_hits'),
    misses: numberField(fields, 'active_defrag_misses'),
    keyHits,
    keyMisses,
    scannedKeys: keyHits === undefined || keyMisses === undefined ? undefined : keyHits + keyMisses,
  });
}

/** INFO keyspace has a line for each database that holds keys: `db0:keys=700,expires=0,avg_ttl=0`; none where there are none. */
export function keyCount(fields: InfoFields): number | undefined {
  const counts = [...fields].flatMap(([name, value]) =>
    name.startsWith('db') && /^db\d+$/.test(name) ? [Number(/^keys=(\d+)(?:,|$)/.exec(value)?.[1])] : [],
  );
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.length > 0 && Number.isSafeInteger(total) ? total : undefined;
}
