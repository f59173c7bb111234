export type Settings = Readonly<Record<string, string>>;

/** What stays behind of the job, by name: settings that are not as before, leases, and alerts that nobody has got. */
export function messesOf(before: Settings, settings: Settings, keys: Iterable<string>): readonly string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(settings)])];
  const changed = names.filter((name) => settings[name] !== before[name]);
  return [
    ...changed.map((name) => `${name}: ${before[name]} became ${settings[name]}`),
    ...[...keys].filter((key) => isLease(key) || key.startsWith('outbox#')),
  ];
}

/** `lease#<instance>`; one that was set aside, `lease#<instance>#<run>`, keeps nobody from anything, and waits for its server. */
function isLease(key: string): boolean {
  return key.startsWith('lease#') && key.split('#').length === 2;
}
