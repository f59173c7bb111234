import type { Stored } from '../../core/ports/state-store.ts';
export type Settings = Readonly<Record<string, string>>;

/** What stays behind of the job, by name: settings that are not as before, leases, and alerts that nobody has got. */
export function messesOf(
  before: Settings,
  settings: Settings,
  documents: ReadonlyMap<string, Stored>,
): readonly string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(settings)])];
  const changed = names.filter((name) => settings[name] !== before[name]);
  return [
    ...changed.map((name) => `${name}: ${before[name]} became ${settings[name]}`),
    ...[...documents].flatMap(([key, { value }]) => (isLease(key, value) || key.startsWith('outbox#') ? [key] : [])),
  ];
}

/** A quarantined one keeps no job from acting, and waits for its server. */
function isLease(key: string, value: unknown): boolean {
  return key.startsWith('lease#') && !(value instanceof Object && 'status' in value && value.status === 'quarantined');
}
