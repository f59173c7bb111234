import { existsSync, mkdirSync, readdirSync, realpathSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../core/adapters/clock.ts';
import { enqueue } from '../../core/alerts/outbox.ts';
import { createDynamoStore } from '../../core/state/dynamodb/store.ts';
import { createFileStore } from '../../core/state/file/file-store.ts';
import { putPause, readPauses } from '../../core/state/pauses.ts';
import { awsEnv } from '../support/aws-proxy.ts';
import { aLease } from '../support/builders.ts';
import { createStateTable } from '../support/dynamo-table.ts';
import { describeWithMoto, lentMoto, type Moto } from '../support/moto.ts';
import { aWorkplace, refusedPort, runOffpeak, type Workplace } from '../support/offpeak.ts';
import { anAlert } from '../support/telemetry-builders.ts';

const CONFIG = `
defaults: { timezone: Europe/Berlin, windows: [{ days: daily, start: "02:00", duration: 3h }] }
instances:
  - { id: sessions, url: "redis://127.0.0.1:1" }
  - { id: carts, url: "redis://127.0.0.1:2" }
`;

let place: Workplace;
beforeEach(({ onTestFinished }) => {
  place = aWorkplace();
  onTestFinished(() => place[Symbol.dispose]());
  place.write('prod.yml', CONFIG);
});

async function offpeak(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return await runOffpeak([...args, '-c', 'prod.yml'], { cwd: place.folder, env });
}

/** Without STATE_TABLE. */
const reminder = () =>
  `offpeak: this is about runs from this machine (state: ${realpathSync(place.folder)}/.offpeak/prod.db). For the deployed job, set STATE_TABLE to its table\n`;

const store = () => createFileStore(`${place.folder}/.offpeak/prod.db`);
const pauses = async () => [...(await readPauses(store())).stored].map(([scope, { pause }]) => [scope, pause.reason]);
const forAnHour = (reason: string) => ['--for', '1h', '--reason', reason];

test.concurrent.each([
  [['pause'], /required option '--for <duration>' not specified/],
  [['pause', '--for', '1h'], /required option '--reason <text>' not specified/],
  [['pause', '--for', '91d', '--reason', 'x'], /"91d" is not a duration from 1m to 90d; accepted: 4h, 90m, 2d/],
  [['pause', '--for', '59s', '--reason', 'x'], /"59s" is not a duration from 1m to 90d/],
  [['pause', '--for', '4', '--reason', 'x'], /"4" is not a duration from 1m to 90d/],
  [['pause', ...forAnHour('')], /"" is not a reason; accepted: 1 to 200 printable characters on one line/],
  [['pause', ...forAnHour('a\nb')], /"a\\nb" is not a reason/],
  [['pause', ...forAnHour('x'.repeat(201))], /is not a reason/],
  [
    ['pause', 'sessions', 'card', ...forAnHour('x')],
    /^offpeak: pause card: no such instance; accepted: sessions, carts\n$/,
  ],
  [['resume', 'card'], /^offpeak: resume card: no such instance; accepted: sessions, carts\n$/],
  [['release', 'card'], /^offpeak: release card: no such instance; accepted: sessions, carts\n$/],
  [['resume', '*'], /^offpeak: resume \*: no such instance/],
  [['release', '-c', 'absent.yml'], /config file absent\.yml cannot be read/],
] as const)('offpeak %j: exit 2, nothing is stored, and what is accepted is said', async (args, expected) => {
  using here = aWorkplace();
  here.write('prod.yml', CONFIG);
  const { code, stdout, stderr } = await runOffpeak([args[0], '-c', 'prod.yml', ...args.slice(1)], {
    cwd: here.folder,
  });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(expected);
  expect((await createFileStore(`${here.folder}/.offpeak/prod.db`).list('')).size).toBe(0);
});

test('F19: the state is beside the config file, whatever folder and link a command is typed in', async () => {
  using here = aWorkplace();
  const [config, other] = [join(here.folder, 'config'), join(here.folder, 'other')];
  for (const folder of [config, other]) mkdirSync(folder);
  here.write('config/prod.yml', CONFIG);
  symlinkSync(join(config, 'prod.yml'), join(other, 'prod.yml'));
  const typed = (cwd: string, file: string, ...args: readonly string[]) => runOffpeak([...args, '-c', file], { cwd });
  const first = await typed(here.folder, 'config/prod.yml', 'pause', 'sessions', ...forAnHour('by name'));
  expect(first).toMatchObject({
    code: 0,
    stderr: expect.stringContaining(`(state: ${realpathSync(config)}/.offpeak/prod.db)`),
  });
  const second = await typed(other, 'prod.yml', 'resume', 'sessions');
  expect(second.stdout).toMatch(/^sessions: resumed; it was paused until .+"by name"/);
  expect(second.stderr).toContain(`(state: ${realpathSync(config)}/.offpeak/prod.db)`);
  expect([existsSync(join(other, '.offpeak')), existsSync(join(here.folder, '.offpeak'))]).toEqual([false, false]);
});

test('F19: what 0.1.0 has kept in the working folder is used and named, until there is something beside the config', async () => {
  using here = aWorkplace();
  mkdirSync(join(here.folder, 'config'));
  here.write('config/prod.yml', CONFIG);
  const [earlier, own] = [`${here.folder}/.offpeak/prod.json`, `${here.folder}/config/.offpeak/prod.db`];
  await putPause(createFileStore(earlier), 'sessions', {
    until: Date.now() + 3_600_000,
    reason: 'old',
    by: 'bob',
    at: 0,
  });
  const resume = () => runOffpeak(['resume', 'sessions', '-c', 'config/prod.yml'], { cwd: here.folder });
  const first = await resume();
  expect(first.stdout).toMatch(/^sessions: resumed; it was paused .+"old"/);
  expect(first.stderr).toMatch(/the state is \S+\/\.offpeak\/prod\.json, from version 0\.1\.0\. .+ && mv /);
  await createFileStore(own).write('node#a', {}, undefined);
  const second = await resume();
  expect(second.stdout).toBe('sessions: was not paused\n');
  expect(second.stderr).toMatch(/from version 0\.1\.0, is not used: the state is \S+\/config\/\.offpeak\/prod\.db\n/);
});

test('the JSON file of version 0.1 beside the config file becomes the database, with the pause that it holds', async () => {
  using here = aWorkplace();
  here.write('prod.yml', CONFIG);
  mkdirSync(join(here.folder, '.offpeak'));
  const pause = { until: Date.now() + 3_600_000, reason: 'old', by: 'bob', at: 0 };
  const state = { format: 'offpeak/state@1', next: 2, documents: { 'pause#sessions': { version: 1, value: pause } } };
  here.write('.offpeak/prod.json', JSON.stringify(state));
  const { stdout } = await runOffpeak(['resume', 'sessions', '-c', 'prod.yml'], { cwd: here.folder });
  expect(stdout).toMatch(/^sessions: resumed; it was paused .+"old"/);
  expect(readdirSync(join(here.folder, '.offpeak'))).toEqual(['prod.db', 'prod.db-journal', 'prod.db.0.1.json']);
});

test('pauses of single instances and of all, one in place of another, and their end', async () => {
  const env = { USER: 'alice' };
  const first = await offpeak(['pause', ...forAnHour('everything')], env);
  expect(first).toMatchObject({
    code: 0,
    stderr: reminder(),
    stdout: expect.stringMatching(
      /^all instances: paused until \w{3} [\d:]+ \S+ \(in 1 h\) by alice \("everything"\)\n$/,
    ),
  });
  const some = await offpeak(['pause', 'carts', 'sessions', '--for', '30m', '--reason', 'some'], env);
  expect(some.stdout).toMatch(
    /^sessions: paused [^\n]+"some"\)\n {2}all instances are paused until [^\n]+\("everything"\)\ncarts: paused/,
  );
  const again = await offpeak(['pause', 'carts', '--for', '2d', '--reason', 'other'], env);
  expect(again.stdout).toMatch(
    /^carts: paused [^\n]+\(in 2 d\) by alice \("other"\)\n {2}replaces: paused until [^\n]+\("some"\)\n$/,
  );
  expect(await pauses()).toEqual([
    ['*', 'everything'],
    ['carts', 'other'],
    ['sessions', 'some'],
  ]);

  const one = await offpeak(['resume', 'carts']);
  expect(one).toMatchObject({ code: 1, stderr: reminder() });
  expect(one.stdout).toMatch(
    /^carts: resumed; it was paused [^\n]+\("other"\)\ncarts: still paused until [^\n]+, because all instances are\. To end that pause:\n {2}npx offpeak resume -c prod\.yml\n$/,
  );
  const all = await offpeak(['resume']);
  expect(all).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^all instances: resumed; .*\nsessions: resumed; .*\n$/),
  });
  expect(await pauses()).toEqual([]);
  expect(await offpeak(['resume'])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^no pause found for stage prod \(config prod\.yml\) in \//),
  });
  expect(await offpeak(['resume', 'carts'])).toMatchObject({ code: 0, stdout: 'carts: was not paused\n' });
});

test('F4: status says of a pause whose instance the config does not have, and not of one whose shards are not known', async () => {
  place.write('prod.yml', `${CONFIG}  - { id: orders, discover: { cluster: { seeds: ["redis://127.0.0.1:3"] } } }\n`);
  const now = Date.now();
  for (const scope of ['gone', 'orders', 'orders/0001', 'sessions'])
    await putPause(store(), scope, { until: now + 3_600_000, reason: 'x', by: 'sre', at: now });
  const { stdout } = await offpeak(['status']);
  const stray = /^the config has no instance (\S+), .*: it pauses nothing\. /gm;
  expect([...stdout.matchAll(stray)].map(([, scope]) => scope)).toEqual(['gone']);
  expect(stdout).toMatch(/gone, orders, orders\/0001, sessions: paused until /);
  // A plan asks the Cluster, which does not answer: the advice to resume would end a pause that counts.
  const plan = await offpeak(['plan']);
  expect(
    [...plan.stdout.replace(/\n +/g, ' ').matchAll(/config has no instance (\S+),/g)].map(([, scope]) => scope),
  ).toEqual(['gone']);
});

test('resume ends what has expired, what cannot be read, and the pause of an instance that is no longer configured', async () => {
  const over = Date.now() - 1000;
  await putPause(store(), 'carts', { until: over, reason: 'r', by: 'b', at: over - 1000 });
  await store().write('pause#sessions', 'until soon', undefined);
  await putPause(store(), 'former', { until: Date.now() + 60_000, reason: 'r', by: 'b', at: over });
  const { code, stdout } = await offpeak(['resume', 'former', 'sessions', 'carts']);
  expect(code).toBe(0);
  expect(stdout.split('\n').toSorted()).toEqual([
    '',
    'carts: its pause had already ended',
    expect.stringMatching(/^former: resumed; it was paused /),
    'sessions: resumed; its pause could not be read',
  ]);
  expect(await pauses()).toEqual([]);
});

test('release says what to type on a node that does not answer: exit 1, and its lease stays', async () => {
  const port = await refusedPort();
  place.write('prod.yml', `instances:\n  - id: sessions\n    url: redis://127.0.0.1:${port}\n`);
  const node = `127.0.0.1:${port}`;
  await store().write('lease#sessions', aLease({ node, prior: { hz: '10', activedefrag: 'no' } }), undefined);
  const { code, stdout, stderr } = await offpeak(['release']);
  expect({ code, stderr, leases: (await store().list('lease#')).size }).toEqual({
    code: 1,
    stderr: reminder(),
    leases: 1,
  });
  expect(stdout).toContain(
    `\nsessions ${node}: NOT released: ${node} cannot be reached: ECONNREFUSED (nothing listens on that port: check it, and that the server runs). Its lease stays, and the next tick tries again. By hand, on that server:\n  CONFIG SET activedefrag no\n  CONFIG SET hz 10\n`,
  );
});

test.each(['pause --for 1h --reason x', 'resume', 'release'])(
  'a state that cannot be read: offpeak %s is exit 1, in one line',
  async (args) => {
    const state = place.write('broken.json', '{ "half": ');
    const { code, stdout, stderr } = await offpeak([...args.split(' '), '-s', state]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^offpeak: The state file .*broken\.json is neither an SQLite database nor [^\n]*\n$/);
  },
);

describeWithMoto('with STATE_TABLE in the environment', () => {
  let moto: Moto;
  let client: DynamoDBClient;
  let env: Readonly<Record<string, string>>;
  let tableName: string;
  beforeAll(async () => {
    moto = await lentMoto();
    const aws = awsEnv(moto.url);
    client = new DynamoDBClient({
      endpoint: moto.url,
      region: 'eu-west-1',
      credentials: { accessKeyId: 'testing', secretAccessKey: 'testing' },
    });
    ({ tableName } = await createStateTable(client));
    env = { ...aws, STATE_TABLE: tableName, USER: 'alice' };
  });
  afterAll(async () => {
    client?.destroy();
    await moto?.stop();
  });

  test('the state is the table of the deployed job: pause, check, release and resume', async () => {
    const table = createDynamoStore(client, { tableName });
    expect(await offpeak(['pause', 'carts', ...forAnHour('deploy')], env)).toMatchObject({ code: 0, stderr: '' });
    expect((await readPauses(table)).pauseOf({ id: 'carts', nodes: [] }, Date.now())).toMatchObject({
      reason: 'deploy',
      by: 'alice',
    });
    const check = await offpeak(['check', '--json'], env);
    expect(check.documents[0]?.outcomes.map(({ instance, pause }) => [instance, pause?.reason])).toEqual([
      ['sessions', undefined],
      ['carts', 'deploy'],
    ]);
    expect(await offpeak(['release'], env)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(
        /^Offpeak has no defrag on in stage prod\. Searched: the table .* \(config prod\.yml\)\nsessions 127\.0\.0\.1:1: not checked: .*ECONNREFUSED .*\n/,
      ),
    });
    expect(await offpeak(['resume'], env)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^carts: resumed; /),
    });
    expect((await readPauses(table)).stored.size).toBe(0);
    expect((await store().list('')).size).toBe(0);
  });

  test('what the deployed job owes to people is not told to a terminal in their place', async () => {
    const table = createDynamoStore(client, { tableName });
    const alert = anAlert();
    const job = { store: table, clock: systemClock(), log: { info() {}, warn() {}, error() {} } };
    await enqueue({ ...job, clock: { ...job.clock, now: () => Date.now() - 3_600_000 } }, 'a job that died', [alert]);
    const key = `outbox#${alert.id}`;
    for (const command of [['release'], ['run', '--json']]) await offpeak(command, env);
    expect([...(await table.list('outbox#')).keys()]).toEqual([key]);
    await table.remove(key, (await table.read(key))?.version ?? 0);
  });

  test.each([
    ['a file as well', ['-s', 'state.json'], {}, /^offpeak: STATE_TABLE and --state \(or OFFPEAK_STATE\) are both set/],
    [
      '… by OFFPEAK_STATE',
      [],
      { OFFPEAK_STATE: 'state.json' },
      /^offpeak: STATE_TABLE and --state \(or OFFPEAK_STATE\)/,
    ],
    ['no name of a table', [], { STATE_TABLE: 'a b' }, /^offpeak: STATE_TABLE cannot be used: tableName: "a b"/],
    ['no region', [], { AWS_REGION: '' }, /^offpeak: AWS_REGION is not set/],
  ])('%s: exit 2', async (_, args, over, expected) => {
    for (const command of ['plan', 'resume']) {
      const { code, stdout, stderr } = await offpeak([command, ...args], { ...env, ...over });
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(expected);
    }
  });

  test('a table that is not there is exit 1, and names it', async () => {
    const { code, stderr } = await offpeak(['resume'], { ...env, STATE_TABLE: 'not-there' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^offpeak: The state table not-there cannot be read/);
  });
});
