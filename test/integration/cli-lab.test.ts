import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ARM_NAMES, type ArmName } from '../../cli/lab/trial/arms.ts';
import { type Printed, runOffpeak, startOffpeak } from '../support/offpeak.ts';
import { lacksServer } from '../support/servers.ts';
import { aTracedPlace } from '../support/traced-place.ts';

interface Layers {
  readonly data: number;
  readonly fragmentation: number;
}

interface Reading {
  readonly keys: number;
  readonly used: number;
  readonly rss: number;
  readonly layers: Layers;
}

interface LabDocument {
  readonly table?: { readonly moments: readonly (Reading & { readonly when: number | string })[] };
  readonly arms: readonly {
    readonly arm: ArmName;
    readonly before: Reading;
    readonly after: Reading;
    readonly full?: Reading;
  }[];
  readonly failed?: readonly { readonly arms: readonly ArmName[]; readonly problem: string }[];
}

const documentOf = ({ stdout }: Printed) => JSON.parse(stdout) as LabDocument;

// They wait for most of their time: side by side.
describe.skipIf(lacksServer('defrag'))('offpeak lab', { concurrent: true }, () => {
  test('the smaller default, smaller still: each arm on the same data, and a page', async () => {
    using place = aTracedPlace();
    const args = ['lab', '--scale', '0.04', '--json', '--html', 'pages/lab.html'];
    const finished = await runOffpeak(args, place.inPlace);
    expect(finished.code).toBe(0);
    const { arms, table, failed } = documentOf(finished);
    expect(failed).toBeUndefined();
    expect(arms.map(({ arm }) => arm)).toEqual(ARM_NAMES);
    // A sixth of 4800 has a TTL beyond the end. The same seed, the same keys: everywhere.
    const keys = new Set(arms.map(({ after }) => after.keys));
    expect([...keys]).toHaveLength(1);
    const [left = 0] = keys;
    expect(left).toBeGreaterThan(650);
    expect(left).toBeLessThan(950);
    expect(table?.moments.map(({ when }) => when)).toEqual([0, 60, 120, 180, 240, 260, 'swept', 'rest']);
    expect(table?.moments[0]?.keys).toBe(4800);
    const of = (name: ArmName) => arms.find(({ arm }) => arm === name);
    // Padding costs memory as soon as it is written, and what waits only stays fragmented.
    expect(of('uniform')?.full?.used).toBeGreaterThan((of('nothing')?.full?.used ?? 0) * 1.4);
    const { data = 0, fragmentation = 0 } = of('nothing')?.after.layers ?? {};
    expect(fragmentation).toBeGreaterThan(data * 0.5);
    expect(of('restart')?.after.layers.fragmentation).toBeLessThan(fragmentation / 4);
    expect(readFileSync(join(place.folder, 'pages/lab.html'), 'utf8')).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
    await place.untilAlone();
  });

  test.each([
    ['hashes', '0.05'],
    ['sizes', '0.02'],
    ['churn', '0.02'],
  ])('%s fragments a server, in words and pictures', async (recipe, scale) => {
    using place = aTracedPlace();
    const { code, stdout, stderr } = await runOffpeak(
      ['lab', recipe, '--scale', scale, '--arms', 'purge,restart', '--no-color'],
      place.inPlace,
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const arm of ['nothing', 'MEMORY PURGE', 'a restart'])
      expect(stdout).toMatch(new RegExp(`^ {2}${arm} .* x used$`, 'm'));
    expect(stdout).toMatch(/^ {2}a restart +A fresh server with the same data has /m);
    // The article's table is the article's.
    expect(stdout).not.toMatch(/at rest +[\d.]+ MiB/);
    expect(stdout).not.toContain('\u001b');
    await place.expectNothingLeft();
  });

  test.each([
    ['while it writes', ': writing'],
    ['while values expire', 'after 4 min'],
  ])('Ctrl-C %s leaves nothing, and exits with 130', async (_, sign) => {
    using place = aTracedPlace();
    await using lab = startOffpeak(['lab', '--scale', '0.04'], place.inPlace);
    await lab.until(({ stdout }) => stdout.includes(sign));
    lab.signal('SIGINT');
    const { code, stderr } = await lab.finished;
    expect({ code, stderr }).toEqual({ code: 130, stderr: '\noffpeak: interrupted: cleaning up\n' });
    await place.expectNothingLeft();
  });

  test.skipIf(process.platform !== 'linux')(
    'a server that is killed: its arms say so, the others are measured',
    async () => {
      using place = aTracedPlace();
      await using lab = startOffpeak(['lab', '--scale', '0.02', '--arms', 'offpeak', '--json'], place.inPlace);
      await lab.until(({ stderr }) => stderr.includes('after 1 min'));
      process.kill(place.serverPid(), 'SIGKILL');
      const finished = await lab.finished;
      expect(finished.code).toBe(1);
      const { arms, failed } = documentOf(finished);
      expect([...arms.map(({ arm }) => arm), ...(failed ?? []).flatMap(({ arms }) => arms)].toSorted()).toEqual([
        ...['nothing', 'offpeak'],
      ]);
      expect(failed?.[0]?.problem).toContain('its server has gone away');
      await place.untilAlone();
    },
  );
});

describe('offpeak lab, typed wrongly: exit 2, before any server is started', { concurrent: true }, () => {
  test.each([
    ['lab articel', /'articel' is invalid[\s\S]*article, compaction, sizes, hashes, churn/],
    ['lab --arms purge,nope', /"nope" is not one of them; accepted: nothing, purge, /],
    ['lab sizes --arms uniform', /lab sizes --arms uniform: accepted are nothing, purge, /],
    ['lab --scale 0', /"0" is not accepted; accepted: a number above 0, up to 100/],
    ['lab --scale -1', /"-1" is not accepted/],
    ['lab --seed 1.5', /"1.5" is not accepted; accepted: a whole number above 0/],
    ['lab --large', /--large: accepted beside the recipe compaction only/],
    ['lab compaction --scale 0.1', /its size is fixed; accepted is --large/],
    ['lab hashes --seed 2', /lab hashes --seed: its data are fixed; accepted beside article, sizes and churn/],
    ['lab --html /dev/null/lab.html', /--html \/dev\/null\/lab.html: no file can be written in /],
    ['lab --html .', /--html .: is a folder; accepted is the name of a file/],
    ['lab --server nowhere/redis-server', /REDIS_SERVER=nowhere\/redis-server is not an executable file/],
  ])('offpeak %s', async (words, expected) => {
    using place = aTracedPlace();
    const { code, stdout, stderr } = await runOffpeak(words.split(' '), place.inPlace);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(expected);
  });

  test('more than the machine has: exit 1, and a scale that fits', async () => {
    using place = aTracedPlace();
    const { code, stderr } = await runOffpeak(['lab', 'article', '--scale', '100', '--json'], place.inPlace);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^offpeak: lab: this takes [\d.]+ GiB of memory, and .* are free: (--scale [\d.]+ fits|end other programs)/m,
    );
  });
});
