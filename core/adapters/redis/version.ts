export type Version = readonly [number, number, number];

/**
 * `7.0.15`, `7.4-rc1`, Redis Stack's `6.2.6-v3`. Another word behind the number means another program: Tendis prints
 * `2.8.17-TRedis-v1.2.20` as its `redis_version`.
 */
const VERSION = /^(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(?:[-.](?:rc|alpha|beta|ga|m|v|int|build|pre|dev)?\d*)*$/i;

export function parseVersion(text: string): Version | undefined {
  const match = VERSION.exec(text);
  return match ? [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] : undefined;
}

function compare(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

export function atLeast(version: Version, floor: Version): boolean {
  return compare(version, floor) >= 0;
}
