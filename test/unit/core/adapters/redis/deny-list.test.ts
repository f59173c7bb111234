import fc from 'fast-check';
import { expect, test } from 'vitest';
import { denial } from '../../../../../core/adapters/redis/denial.ts';
import { DENIED, type Standing } from '../../../../../core/adapters/redis/deny-list.ts';
import { parseVersion, type Version } from '../../../../../core/adapters/redis/version.ts';

/** Where a node may stand, and its name. */
const STANDINGS: readonly (readonly [string, Standing])[] = [
  ['primary', { cluster: false, replica: false }],
  ['replica', { cluster: false, replica: true }],
  ['primary of a cluster', { cluster: true, replica: false }],
  ['replica of a cluster', { cluster: true, replica: true }],
  ['primary with scripts', { cluster: false, replica: false, scripts: true }],
  ['replica of a cluster with scripts', { cluster: true, replica: true, scripts: true }],
];

const CASES = DENIED.flatMap((rule) => STANDINGS.map(([where, standing]) => ({ ...rule, where, standing })));

/** What a denial says to upgrade to; undefined where it names no version. */
function upgradeOf(fixedIn: string | undefined): Version | undefined {
  const [, version = ''] = /^\w+ (\d.*)$/.exec(fixedIn ?? '') ?? [];
  return parseVersion(version);
}

test.each(CASES)(
  '$engine $from, $issue, on a $where: what is said to lift it does',
  ({ engine, standing, ...rule }) => {
    const denied = denial(engine, rule.from, standing);
    expect(denied !== undefined || rule.only?.some((trait) => !standing[trait])).toBe(true);
    const upgrade = upgradeOf(denied?.fixedIn);
    expect(upgrade !== undefined || denied === undefined || rule.before === undefined).toBe(true);
    if (upgrade) expect(denial(engine, upgrade, standing)).toBeUndefined();
  },
);

test('whatever the version, the one that its denial names is not denied', () => {
  const version = fc.tuple(fc.nat(9), fc.nat(10), fc.nat(260));
  const standing = fc.record({ cluster: fc.boolean(), replica: fc.boolean(), scripts: fc.boolean() });
  const engine = fc.constantFrom(...new Set(DENIED.map((rule) => rule.engine)));
  fc.assert(
    fc.property(engine, version, standing, (name, at, where) => {
      const upgrade = upgradeOf(denial(name, at, where)?.fixedIn);
      return upgrade === undefined || denial(name, upgrade, where) === undefined;
    }),
    { numRuns: 5000 },
  );
});
