import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { aCluster, type Cluster } from '../support/cluster.ts';
import { aWorkplace, runOffpeak, type Workplace } from '../support/offpeak.ts';
import { lacksServer } from '../support/servers.ts';

describe.skipIf(lacksServer('defrag'))('the command line on a Cluster of which the config names one seed', () => {
  let cluster: Cluster;
  let place: Workplace;
  let config: string;
  const offpeak = (line: string, ...more: string[]) =>
    runOffpeak([...line.split(' '), ...more, '-c', config, '-s', place.stateFile]);
  const addressOf = (index: number) => cluster.node(index).address;

  beforeAll(async () => {
    cluster = await aCluster({ shards: 2 });
    place = aWorkplace();
    config = place.write(
      'prod.yml',
      `instances:
  - id: carts
    discover: { cluster: { seeds: ["redis://${addressOf(0)}"] } }
    timezone: Europe/Berlin
    windows: [{ days: daily, start: "00:00", duration: 24h }]
  - { id: other, url: "redis://127.0.0.1:1" }
`,
    );
  });
  afterAll(async () => {
    place?.[Symbol.dispose]();
    await cluster?.[Symbol.asyncDispose]();
  });

  test('from the first look to a shard that is new', { timeout: 600_000 }, async () => {
    const first = await offpeak('discover');
    expect(first.code).toBe(0);
    expect(first.stdout).toMatch(/^carts: 2 shards, 4 nodes$/m);
    for (const index of [0, 1, 2, 3]) expect(first.stdout).toContain(addressOf(index));
    expect(first.stdout).toContain('no tick has found them before');
    // It has written nothing.
    expect((await offpeak('status')).stdout).toMatch(/carts {2}open at all times; its nodes are not known yet/);
    expect((await offpeak('pause carts/0001 --for 1h --reason x')).stderr).toMatch(/no such instance; accepted: /);

    const {
      documents: [tick],
    } = await offpeak('run -i carts --json');
    const outcomes = tick?.outcomes ?? [];
    expect(outcomes.map(({ node }) => node).toSorted()).toEqual([0, 1, 2, 3].map(addressOf).toSorted());
    expect(outcomes.map(({ instance, status }) => `${instance} ${status}`).toSorted()).toEqual(
      ['carts/0001', 'carts/0001', 'carts/0002', 'carts/0002'].map((id) => `${id} observed`),
    );
    // A tick of some instances keeps the first inventory, so that its shards have their names; later ones it leaves, as it reports no change.
    expect((await offpeak('status')).stdout).toMatch(/carts \(2 shards\) {2}open at all times/);

    const plan = await offpeak('plan -i carts/0002');
    expect(plan.stdout).toMatch(/prod: 2 nodes/);
    expect(plan.code).toBe(0);
    const unknown = await offpeak('plan -i carts/0009');
    expect(unknown).toMatchObject({ code: 2, stdout: '' });
    expect(unknown.stderr).toMatch(
      /--instance carts\/0009: no such instance; accepted: carts, carts\/0001, carts\/0002, other/,
    );

    expect((await offpeak('pause carts --for 2h --reason', 'load test')).stdout).toMatch(
      /^carts: paused until .*Europe\/Berlin/,
    );
    expect((await offpeak('plan -i carts/0001')).stdout).toContain('load test');
    const still = await offpeak('resume carts/0001');
    expect(still.stdout).toMatch(/carts\/0001: still paused until .*, because carts is/);
    expect(still.code).toBe(1);
    expect((await offpeak('resume carts')).code).toBe(0);
    expect((await offpeak('release carts/0002')).stdout).toMatch(
      /^Offpeak has no defrag on in stage prod for carts\/0002\. Searched: /,
    );
    expect((await offpeak('history carts/0001')).code).toBe(0);

    const added = await cluster.add();
    await cluster.moveSlots([0, 1, 2], 4);
    await cluster.remove(3);
    const later = await offpeak('discover');
    expect(later.stdout).toMatch(/^ {2}carts\/0003 {2}\S+ +primary$/m);
    expect(later.stdout).toMatch(new RegExp(`new since the tick of .*: ${added.address} \\(carts/0003\\)`));
    expect(later.stdout).toMatch(/gone since the tick of .*: \S+ \(carts\/000[12]\)/);
    const json = JSON.parse((await offpeak('discover carts --json')).stdout);
    expect(json.instances[0].shards).toHaveLength(3);
    expect(json.instances[0].changes).toHaveLength(2);
  });

  test('where its only seed is down, all of them say so, and use what was found last', {
    timeout: 300_000,
  }, async () => {
    const dead = place.write(
      'dead.yml',
      'instances:\n  - id: carts\n    discover: { cluster: { seeds: ["redis://127.0.0.1:1"] } }\n',
    );
    const asked = await runOffpeak(['discover', '-c', dead, '-s', place.stateFile]);
    expect(asked.code).toBe(1);
    expect(asked.stdout).toMatch(/could not be found now: the seed does not say .* The inventory of .* is used/);
    const { documents, code } = await runOffpeak(['check', '--json', '-c', dead, '-s', place.stateFile]);
    expect(code).toBe(1);
    expect(documents[0]).toMatchObject({
      undiscovered: ['carts'],
      outcomes: expect.arrayContaining([expect.anything()]),
    });
  });
});
