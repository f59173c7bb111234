import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { ENVIRONMENT } from '../../core/config/environment.ts';
import { compose } from '../../functions/compose.ts';
import { bulk, infoServer } from '../support/odd-server.ts';
import { aWorkplace, refusedPort, runOffpeak } from '../support/offpeak.ts';
import { lacksServer, plainServer } from '../support/servers.ts';

const PASSWORD = 'correct-horse-debug';
const WRONG = 'battery-staple-debug';
/** What a person types who wants to know more, and what an image may have set. */
const SWITCHES: readonly Readonly<Record<string, string>>[] = [
  { DEBUG: '*' },
  { DEBUG: 'ioredis:*' },
  { DEBUG: 'express:*  ioredis:redis' },
  { DEBUG: '*,-nothing', DEBUG_COLORS: 'yes', DEBUG_DEPTH: '10' },
  { NODE_DEBUG: '*' },
  { NODE_DEBUG: 'net,tls,http,stream' },
];

const yaml = (port: number, credentials: string) => `
instances:
  - id: sessions
    url: redis://127.0.0.1:${port}
    credentials: { ${credentials} }
    windows: []
`;

describe.skipIf(lacksServer('plain'))('F16: debug output of the command line', () => {
  let server: RunningServer;
  beforeAll(async () => {
    const user = ['--user', 'offpeak', 'on', `>${PASSWORD}`, '~*', '&*', '+@all'];
    server = await plainServer({ args: ['--requirepass', PASSWORD, ...user] });
  });
  afterAll(() => server?.stop());

  async function check(config: string, password: string, env: Readonly<Record<string, string>>) {
    using place = aWorkplace();
    place.write('prod.yml', config);
    const args = ['check', '-c', 'prod.yml', '--json', '--verbose'];
    const run = await runOffpeak(args, { cwd: place.folder, env: { REDIS_PASSWORD: password, ...env } });
    return { ...run, isRevealed: `${run.stdout}${run.stderr}`.includes(password) };
  }

  const FORMS = ['password: "env:REDIS_PASSWORD"', 'username: offpeak, password: "env:REDIS_PASSWORD"'];

  for (const env of SWITCHES) {
    const name = JSON.stringify(env);
    test.each(FORMS)(`with ${name}, no password is printed: %s`, async (credentials) => {
      const { code, isRevealed, documents } = await check(yaml(server.port, credentials), PASSWORD, env);
      expect({ code, isRevealed, status: documents[0]?.outcomes[0]?.status }).toEqual({
        code: 0,
        isRevealed: false,
        status: 'observed',
      });
    });
  }

  test.each(FORMS)('nor one that the server refuses: %s', async (credentials) => {
    const run = await check(yaml(server.port, credentials), WRONG, { DEBUG: '*', NODE_DEBUG: '*' });
    expect({ code: run.code, isRevealed: run.isRevealed }).toEqual({ code: 1, isRevealed: false });
    expect(run.stdout).toContain('wrong-credentials');
  });

  test.each(['redis', 'rediss'])('nor one for a server that is not there (%s://)', async (scheme) => {
    const config = yaml(await refusedPort(), FORMS[1] ?? '').replace('redis:', `${scheme}:`);
    const run = await check(config, PASSWORD, { DEBUG: '*', NODE_DEBUG: '*' });
    expect({ code: run.code, isRevealed: run.isRevealed }).toEqual({ code: 1, isRevealed: false });
  });

  test('what others print stays, and that lines are missing is said', async () => {
    const { stderr } = await check(yaml(server.port, FORMS[0] ?? ''), PASSWORD, { NODE_DEBUG: 'module,net' });
    expect(stderr).toContain('NODE_DEBUG is set: lines about connections and requests are left out');
    expect(stderr).toMatch(/^MODULE \d+/m);
    expect(stderr).not.toMatch(/^NET \d+/m);
  });
});

test('F16: what breaks off in the middle of signing in is told without the password', async () => {
  await using server = await infoServer(() => bulk('no INFO at all'));
  using place = aWorkplace();
  place.write('prod.yml', yaml(server.port, 'password: "env:REDIS_PASSWORD"'));
  const env = { REDIS_PASSWORD: PASSWORD, DEBUG: '*' };
  const { code, stdout, stderr } = await runOffpeak(['check', '-c', 'prod.yml', '-v'], { cwd: place.folder, env });
  expect({ code, isRevealed: `${stdout}${stderr}`.includes(PASSWORD) }).toEqual({ code: 1, isRevealed: false });
});

test('F16: a webhook that is typed in place of its reference is not printed', async () => {
  const { code, stdout, stderr } = await runOffpeak(['run', '--webhook', `https://hooks.example/${PASSWORD}`]);
  expect({ code, isRevealed: `${stdout}${stderr}`.includes(PASSWORD) }).toEqual({ code: 2, isRevealed: false });
  expect(stderr).toMatch(/^offpeak: run --webhook: \(hidden\) is not a reference; accepted: a reference, like env:/);
});

describe('F16: a password that crosses the network in the clear', () => {
  /** Nothing answers there: documentation addresses (RFC 5737, RFC 3849), and a name that cannot be. */
  const away = (url: string, more = '') => `
instances:
  - id: sessions
    url: ${url}
    credentials: { password: "env:REDIS_PASSWORD"${more} }
    windows: []
`;
  const warning = async (command: string, config: string, env = {}) => {
    using place = aWorkplace();
    place.write('prod.yml', config);
    const { stderr } = await runOffpeak([command, '-c', 'prod.yml', '--json'], {
      cwd: place.folder,
      env: { ...env },
    });
    return stderr;
  };

  // Without the variable no connection is tried: what is seen is the configuration's.
  test.each(['check', 'plan', 'run'])('%s names the instance and its node, and says what helps', async (command) => {
    expect(await warning(command, away('redis://192.0.2.1:6379'))).toBe(
      'offpeak: warning: sessions: the password crosses the network to 192.0.2.1:6379 unencrypted\n' +
        'offpeak: use rediss:// addresses (TLS), or, where that network is trusted, set `unencrypted: accepted` beside the password\n',
    );
  });

  test.each([
    ['with TLS', away('rediss://192.0.2.1:6379')],
    ['where it is accepted', away('redis://192.0.2.1:6379', ', unencrypted: accepted')],
    ['on this machine', away('redis://127.8.0.1:6379')],
    ['on this machine, by name', away('redis://localhost:6379')],
    ['on this machine, by IPv6', away('redis://[0:0:0:0:0:0:0:1]:6379')],
    [
      'without a password',
      away('redis://192.0.2.1:1')
        .replace(/ +credentials.*\n/, '')
        .replace('192.0.2.1', '127.0.0.1'),
    ],
  ])('none %s', async (_, config) => {
    expect(await warning('check', config)).toBe('');
  });

  test('the job logs it once, when its container is made', () => {
    using place = aWorkplace();
    const env = {
      [ENVIRONMENT.stage]: 'prod',
      [ENVIRONMENT.configFile]: place.write('prod.yml', away('redis://192.0.2.1:6379')),
      [ENVIRONMENT.stateFile]: place.stateFile,
      [ENVIRONMENT.alertTopicArn]: 'arn:aws:sns:eu-west-1:123456789012:offpeak-prod-alerts',
    };
    const warned: unknown[] = [];
    vi.stubEnv('AWS_REGION', 'eu-west-1');
    try {
      compose(env, { info: () => {}, warn: (message, fields) => void warned.push([message, fields]), error: () => {} });
    } finally {
      vi.unstubAllEnvs();
    }
    expect(warned).toEqual([
      [
        'the password crosses the network unencrypted',
        { instance: 'sessions', nodes: ['192.0.2.1:6379'], next: expect.stringContaining('rediss://') },
      ],
    ]);
  });

  test('of many instances the first are named, and the others counted', async () => {
    const instances = Array.from(
      { length: 13 },
      (_, index) =>
        `  - { id: i${index}, nodes: ["redis://192.0.2.${index}:1", "redis://192.0.2.${index}:2"], credentials: { password: "env:X" } }`,
    );
    const lines = (await warning('check', `instances:\n${instances.join('\n')}\n`)).trimEnd().split('\n');
    expect(lines).toHaveLength(12);
    expect(lines[0]).toMatch(/i0: the password crosses the network to 192\.0\.2\.0:1 and 1 more unencrypted$/);
    expect(lines[10]).toBe('offpeak: warning: 3 more instances as well');
  });
});
