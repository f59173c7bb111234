import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NOTICES } from '../../infra/build.ts';
import { fleetFile, secretsFile, stackFile } from '../unit/infra/stacks.ts';
import { cfnLint, describeWithCfnLint, makeWorkspace, type Said, type Workspace } from './workspace.ts';

const TEMPLATE = '.serverless/cloudformation-template-update-stack.json';
const ZIPS = ['.serverless/maintain.zip', '.serverless/notifySlack.zip'];
const VPC = {
  subnetIds: 'subnet-0a1b2c3d,subnet-4e5f6a7b',
  securityGroupIds: 'sg-0a1b2c3d',
  vpcEndpoints: 'true',
  vpcId: 'vpc-0a1b2c3d',
  routeTableIds: 'rtb-0a1b2c3d',
};
const params = (all: Readonly<Record<string, string>>) =>
  Object.entries(all).map(([key, value]) => `--param=${key}=${value}`);

let workspace: Workspace;
beforeAll(() => {
  workspace = makeWorkspace();
  workspace.config('prod', stackFile());
  workspace.config('fleet', fleetFile(40));
  workspace.config('queue', fleetFile(1001));
  workspace.config('otlp', stackFile(undefined, 'metrics: { send: otlp }'));
  const emails = '{ address: a@b.example, from: warning }, { address: c@d.example, from: critical }';
  workspace.config('severities', stackFile().replace('redis-team@redis.example', emails));
  workspace.config('secrets', secretsFile(200));
});
afterAll(() => workspace[Symbol.dispose]());

describe('packaging, without credentials, region or network,', () => {
  let said: Said;
  beforeAll(async () => {
    said = await workspace.run(['package', '--stage', 'prod']);
  });

  test('succeeds, and says how large the functions are', () => {
    expect(said).toMatchObject({ code: 0 });
    expect(said.output).toMatch(/dist\/maintain: \d+ KB, of which a start loads \d+ KB/);
  });

  test('warns of an address that the functions do not reach', () => {
    expect(said.output).toContain('warning: 10.0.0.9:6379 (instance queue) is a private address');
    expect(said.output.match(/^warning: /gm)).toHaveLength(1);
  });

  test('elsewhere, later, in another time zone and with another umask gives the same zips, byte for byte', async () => {
    using elsewhere = makeWorkspace();
    elsewhere.config('prod', stackFile());
    const said = await elsewhere.run(['package', '--stage', 'prod'], { TZ: 'Pacific/Auckland' }, '077');
    expect(said).toMatchObject({ code: 0 });
    for (const zip of ZIPS) expect(elsewhere.read(zip).equals(workspace.read(zip)), zip).toBe(true);
  });

  test('sets up the job as the design wants it', () => {
    const { MaintainLambdaFunction: job, MaintainLambdaEvConf: asynchronous } = resources();
    expect(job?.Properties).toMatchObject({
      FunctionName: 'offpeak-prod-maintain',
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      MemorySize: 256,
      Timeout: 300,
      ReservedConcurrentExecutions: 1,
      TracingConfig: { Mode: 'Active' },
      Role: { 'Fn::Sub': expect.stringContaining('MaintainRole.Arn') },
    });
    expect(job?.Properties).not.toHaveProperty('VpcConfig');
    expect(asynchronous?.Properties).toMatchObject({
      MaximumRetryAttempts: 0,
      MaximumEventAgeInSeconds: 600,
      DestinationConfig: { OnFailure: { Destination: { 'Fn::GetAtt': ['MaintainDeadLetters', 'Arn'] } } },
    });
    expect(resources().MaintainLogGroup?.Properties).toMatchObject({ RetentionInDays: 30 });
  });

  test('F11: sets up the Slack function to be fed by its queue alone, and reserves no concurrency for it', () => {
    const { NotifySlackLambdaFunction: notifier, NotifySlackQueueSource: source, ...others } = resources();
    expect(notifier?.Properties).toMatchObject({ FunctionName: 'offpeak-prod-notify-slack', Timeout: 60 });
    expect(notifier?.Properties).not.toHaveProperty('ReservedConcurrentExecutions');
    expect(source?.Properties).toMatchObject({ ScalingConfig: { MaximumConcurrency: 2 } });
    expect(Object.keys(others)).not.toContain('NotifySlackLambdaEvConf');
    expect(Object.keys(others)).not.toContain('NotifySlackPermission');
  });

  test('leaves no YAML parser, no secret and no test in the package', () => {
    const files = spawnSync('unzip', ['-Z1', join(workspace.folder, '.serverless/maintain.zip')], { encoding: 'utf8' });
    const names = files.stdout.trim().split('\n');
    expect(names).toContain('dist/maintain/handler.mjs');
    expect(names).toContain('dist/maintain/config.json');
    expect(names).toContain(`dist/maintain/${NOTICES}`);
    expect(names.filter((name) => !/^dist\/maintain\/[\w.-]+\.(mjs|json|txt)$/.test(name))).toEqual([]);
    expect(workspace.read('dist/maintain/handler.mjs').includes('MULTILINE_IMPLICIT_KEY')).toBe(false);
  });

  test.each(['maintain', 'notify-slack'])('gives a module for %s that loads and exports its handler', (folder) => {
    const load = `import('./dist/${folder}/handler.mjs').then((m) => console.log(typeof m.handler))`;
    const env = { PATH: process.env.PATH ?? '', AWS_REGION: 'eu-west-1' };
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', load], {
      cwd: workspace.folder,
      env,
      encoding: 'utf8',
    });
    expect(stdout + stderr).toBe('function\n');
  });
});

describeWithCfnLint('cfn-lint finds nothing', () => {
  test.each([
    ['outside of a VPC', 'prod', {}],
    [
      'in a VPC without NAT, with a key of one’s own',
      'prod',
      { ...VPC, secretsKeyArn: 'arn:aws:kms:eu-west-1:123456789012:key/0a1b' },
    ],
    [
      'with the rules of an account',
      'prod',
      {
        keyArn: 'arn:aws:kms:eu-west-1:123456789012:key/0a1b',
        permissionsBoundaryArn: 'arn:aws:iam::123456789012:policy/boundary',
        alertTopicArn: 'arn:aws:sns:eu-west-1:123456789012:alerts',
        tags: 'team=cache',
      },
    ],
    ['with targets for each severity', 'severities', {}],
    ['with 40 nodes', 'fleet', {}],
    ['with a queue for 1,001 nodes, in a VPC', 'queue', VPC],
    ['with 200 secrets', 'secrets', {}],
    ['with metrics by OTLP, and PromQL alarms', 'otlp', {}],
  ])('%s', async (_, stage, parameters) => {
    expect(await workspace.run(['package', '--stage', stage, ...params(parameters)])).toMatchObject({ code: 0 });
    expect(cfnLint(join(workspace.folder, TEMPLATE))).toBe('');
  });
});

describe('a mistake ends packaging with status 2, and with every problem and its path:', () => {
  test('of the configuration', async () => {
    workspace.config(
      'wrong',
      stackFile(['  - { id: A, url: redis://a, credentials: { password: env:X } }'], 'logRetention: 31d'),
    );
    const { code, output } = await workspace.run(['package', '--stage', 'wrong']);
    expect(code).toBe(2);
    expect(output.split('\n').slice(0, 3)).toEqual([
      expect.stringMatching(
        /^config\/wrong\.yml:6 logRetention: "31d" is not a retention that CloudWatch Logs accepts; accepted: /,
      ),
      expect.stringMatching(/^config\/wrong\.yml:8 instances\[0\]\.id: "A" does not have that form; accepted: /),
      expect.stringMatching(
        /^config\/wrong\.yml:8 instances\[0\]\.credentials\.password: env: is for runs from a terminal/,
      ),
    ]);
  });

  test('of more secrets than a role can be allowed to read', async () => {
    workspace.config('too-many', secretsFile(900));
    const { code, output } = await workspace.run(['package', '--stage', 'too-many']);
    expect(code).toBe(2);
    expect(output).toMatch(
      /^config\/too-many\.yml instances: 900 secrets are named: .*; accepted: fewer: .*\nNothing was packaged/,
    );
  });

  test.each([['nowhere'], ['../config/prod'], ['']])('of the stage: %s', async (stage) => {
    const { code, output } = await workspace.run(['package', '--stage', stage]);
    expect(code).toBe(2);
    expect(output).toContain(
      `config/${stage}.yml does not exist: the stages are fleet, otlp, prod, queue, secrets, severities`,
    );
  });

  test.each(['deploy', 'remove'])('%s without a stage', async (command) => {
    const output = `${command} needs a stage: npm run ${command} -- --stage prod\n`;
    expect(await workspace.run([command])).toEqual({ code: 2, output });
  });

  test('of the command', async () => {
    expect(await workspace.run(['destroy'])).toEqual({
      code: 2,
      output: 'unknown command "destroy"; accepted: build, package, deploy, remove\n',
    });
  });
});

test('a wrong parameter ends packaging, and so does one that lacks another', async () => {
  const wrong = await workspace.run([
    'package',
    '--stage',
    'prod',
    ...params({ subnetIds: 'subnet-x,subnet-0a1b2c3d' }),
  ]);
  expect(wrong.code).not.toBe(0);
  expect(wrong.output).toContain('parameter subnetIds: "subnet-x" is not ids of subnets');
  expect(wrong.output).toContain('parameter securityGroupIds: is required with subnetIds');
});

test('osls by itself, without our command, refuses a wrong configuration with the same words', () => {
  workspace.config('bad', 'instances: []\nlogRetention: 2d');
  const osls = join(workspace.folder, 'node_modules/osls/bin/serverless.js');
  const { stdout, stderr, status } = spawnSync(process.execPath, [osls, 'package', '--stage', 'bad'], {
    cwd: workspace.folder,
    env: { PATH: process.env.PATH ?? '', HOME: workspace.folder },
    encoding: 'utf8',
  });
  expect(status).not.toBe(0);
  expect(stdout + stderr).toContain(
    'config/bad.yml:2 logRetention: "2d" is not a retention that CloudWatch Logs accepts',
  );
  expect(stdout + stderr).toContain('config/bad.yml:1 instances: a list is empty');
});

interface Shape {
  readonly Properties: Readonly<Record<string, unknown>>;
}

function resources(): Readonly<Record<string, Shape>> {
  return JSON.parse(workspace.read(TEMPLATE).toString()).Resources;
}
