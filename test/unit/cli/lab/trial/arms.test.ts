import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ARM_NAMES, RECIPE_NAMES, sitesFor } from '../../../../../cli/lab/trial/arms.ts';

describe('the servers that arms need', () => {
  test('all arms: each on one site, once', () => {
    const arms = sitesFor(ARM_NAMES, '7.0.15').flatMap(({ arms }) => arms);
    expect(arms.toSorted()).toEqual(ARM_NAMES.toSorted());
  });

  test('a site without an arm is left out, and nothing is always one', () => {
    expect(sitesFor(['offpeak'], '7.0.15').map(({ name, arms }) => [name, arms])).toEqual([
      ['offpeak', ['offpeak']],
      ['as-is', ['nothing']],
    ]);
  });

  test('what moves data comes last on its site: the arms before it find the layout as it was', () => {
    const site = sitesFor(ARM_NAMES, '7.0.15').find(({ name }) => name === 'as-is');
    expect(site?.arms).toEqual(['nothing', 'purge', 'restart', 'defaults']);
  });

  test.each([
    ['5.0.14', false],
    ['6.0.16', true],
    ['8.2.3', true],
  ])('Redis %s has a background thread that can be switched: %s', (version, has) => {
    expect(sitesFor(ARM_NAMES, version).some(({ name }) => name === 'thread-off')).toBe(has);
  });

  test('the sizes of the split values leave no gap, and no value on two servers', () => {
    const storages = sitesFor(['by-size'], '7.0.15').find(({ name }) => name === 'by-size')?.storages;
    const [small, large] = storages ?? [];
    expect(small?.sizes?.[1]).toBe(large?.sizes?.[0]);
    expect(small?.sizes?.[0]).toBeLessThanOrEqual(100);
    expect(large?.sizes?.[1]).toBeGreaterThan(10_000);
  });
});

test.each([...RECIPE_NAMES, ...ARM_NAMES])('docs/cli.md says what %s is', (name) => {
  const page = readFileSync(new URL('../../../../../docs/cli.md', import.meta.url), 'utf8');
  expect(page).toMatch(new RegExp(`^\\| [^|]*\`${name}\`[^|]* \\|`, 'm'));
});
