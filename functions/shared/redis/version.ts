/**
 * Which server this is, and what its version is known for. Redis' relatives answer INFO with a `redis_version` of their own
 * choosing, so the more particular field is asked first.
 */
export type EngineName = 'redis' | 'valkey' | 'keydb' | 'dragonfly' | 'garnet' | 'unknown';

export type Version = readonly [number, number, number];

export function parseVersion(text: string): Version | undefined {
  const match = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] : undefined;
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

export function atLeast(version: Version, floor: Version): boolean {
  return compare(version, floor) >= 0;
}
