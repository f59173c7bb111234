import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { aWorkplace, refusedPort, runOffpeak, type Workplace } from '../support/offpeak.ts';
import { lacksServer, plainServer } from '../support/servers.ts';

describe('the command line', () => {
  let place: Workplace;
  beforeAll(() => {
    place = aWorkplace();
    place.write('good.yml', 'instances:\n  - id: a\n    url: redis://127.0.0.1:1\n');
    place.write(
      'wrong.yml',
      `instances:
  - id: a
    url: redis://:hunter2@127.0.0.1:1
    purge: { minReclam: 1MiB, maxBlock: soon }
    windows: [{ days: someday, start: "25:00", duration: 1h }]
`,
    );
  });
  afterAll(() => place?.[Symbol.dispose]());

  test.concurrent.each([
    [
      '--help',
      /^Usage: offpeak \[options\] \[command\]\n[\s\S]*check[\s\S]*plan[\s\S]*run[\s\S]*demo[\s\S]*Exit status: 0 fine/,
    ],
    ['run --help', /--every <duration> .*\(default: 5s\)[\s\S]*--until-idle[\s\S]*--publish/],
    ['pause --help', /--for <duration> .*\(required\)[\s\S]*--reason <text> [\s\S]*\(required\)/],
    ['--version', /^\d+\.\d+\.\d+\n$/],
  ])('offpeak %s', async (args, expected) => {
    const { code, stdout, stderr } = await runOffpeak(args.split(' '), { cwd: place.folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(expected);
  });

  type Row = readonly [args: string, stderr: RegExp];
  const rows: readonly Row[] = [
    ['', /^Usage: offpeak/],
    ['frobnicate', /unknown command 'frobnicate'/],
    ['chek', /unknown command 'chek'[\s\S]*check/],
    ['check --nope', /unknown option '--nope'/],
    ['check', /config file config\/dev\.yml cannot be read \(ENOENT\): it must be a YAML file/],
    [
      'check -c absent.yml',
      /config file absent\.yml cannot be read \(ENOENT\).*offpeak init redis:\/\/… -o absent\.yml/,
    ],
    ['check -c .', /config file \. cannot be read \(EISDIR\)/],
    ['plan -c good.yml --stage No', /"No" is not the name of a stage; accepted: /],
    ['plan -c good.yml -i b c', /--instance b c: no such instance; accepted: a\n$/],
    ['plan -c good.yml --at tomorrow', /'--at <time>'.*"tomorrow" is not a time with a zone; accepted: 2026-/],
    ['plan -c good.yml --at 2026-11-24T02:30', /"2026-11-24T02:30" is not a time with a zone/],
    ['plan -c good.yml --at 2026-02-31T00:00Z', /"2026-02-31T00:00Z" is not a time with a zone/],
    ['run -c good.yml --every 5', /'--every <duration>'.*"5" is not a duration from 100ms to 24h; accepted: 5s/],
    ['run -c good.yml --every 1ms', /"1ms" is not a duration from 100ms to 24h/],
    ['run -c good.yml --every 30d', /"30d" is not a duration from 100ms to 24h/],
    [`run -c good.yml --every ${'9'.repeat(120)}s`, /9s" is not a duration from 100ms to 24h/],
  ];

  test.concurrent.each(rows)('offpeak %s: exit 2, and what is accepted', async (args, expected) => {
    const { code, stdout, stderr } = await runOffpeak(args === '' ? [] : args.split(' '), { cwd: place.folder });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(expected);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });

  test('a report that cannot be written: exit 2, and what is accepted', async () => {
    const { stdout } = await runOffpeak(['check', '-c', 'good.yml', '--json'], { cwd: place.folder });
    place.write('check.jsonl', stdout);
    const written = await runOffpeak(['report', 'check.jsonl', '-o', 'check.jsonl/r.html'], { cwd: place.folder });
    expect(written).toMatchObject({ code: 2, stdout: '' });
    expect(written.stderr).toBe(
      'offpeak: report: check.jsonl/r.html cannot be written (EEXIST); accepted: --output with a file in a folder that can be written\n',
    );
  });

  test('a report makes the folder of its file, as init does', async () => {
    const { stdout } = await runOffpeak(['check', '-c', 'good.yml', '--json'], { cwd: place.folder });
    place.write('check.jsonl', stdout);
    const written = await runOffpeak(['report', 'check.jsonl', '-o', 'reports/of/r.html'], { cwd: place.folder });
    expect(written).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(readFileSync(join(place.folder, 'reports/of/r.html'), 'utf8')).toContain('</html>');
  });

  test('a config file that is not named as a stage needs --stage, as packaging does', async () => {
    place.write('99-prod.yml', 'instances:\n  - id: a\n    url: redis://127.0.0.1:1\n');
    const odd = await runOffpeak(['check', '-c', '99-prod.yml', '--json'], { cwd: place.folder });
    expect(odd).toMatchObject({ code: 2, stdout: '' });
    expect(odd.stderr).toMatch(
      /^offpeak: the name of 99-prod\.yml is not that of a stage; accepted: .* --stage prod\n$/,
    );
    const named = await runOffpeak(['check', '-c', '99-prod.yml', '--stage', 'prod', '--json'], { cwd: place.folder });
    expect(named).toMatchObject({ code: 1, stderr: '', documents: [{ stage: 'prod' }] });
  });

  test('a wrong config: every problem at once, each with its line, its path and what is accepted; no secret', async () => {
    const { code, stdout, stderr } = await runOffpeak(['run', '-c', 'wrong.yml'], { cwd: place.folder });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    const paths = [
      /wrong\.yml:3 instances\[0\]\.url: .*; accepted: /,
      /wrong\.yml:4 instances\[0\]\.purge\.minReclam: .*minReclaim/,
      /wrong\.yml:4 instances\[0\]\.purge\.maxBlock: "soon" .*; accepted: /,
      /wrong\.yml:5 instances\[0\]\.windows\[0\]\.days.*: "someday" .*; accepted: /,
      /wrong\.yml:5 instances\[0\]\.windows\[0\]\.start: "25:00" .*; accepted: /,
    ];
    for (const path of paths) expect(stderr).toMatch(path);
    expect(stderr).not.toContain('hunter2');
  });
});

describe.skipIf(lacksServer('plain'))('beside a node that nobody listens on', () => {
  let server: RunningServer;
  let place: Workplace;
  let gone: number;
  beforeAll(async () => {
    server = await plainServer();
    gone = await refusedPort();
    place = aWorkplace();
    place.write(
      'two.yml',
      `instances:\n  - id: gone\n    url: redis://127.0.0.1:${gone}\n  - id: good\n    url: ${server.url}\n`,
    );
  });
  afterAll(async () => {
    place?.[Symbol.dispose]();
    await server?.stop();
  });

  test.each(['check', 'plan', 'run'])('offpeak %s: exit 1, and the other node is reported', async (command) => {
    const { code, documents } = await runOffpeak([command, '-c', 'two.yml', '--json'], { cwd: place.folder });
    expect(code).toBe(1);
    expect(documents).toHaveLength(1);
    expect(documents[0]?.outcomes).toMatchObject([
      { instance: 'gone', status: 'unreachable', problem: { kind: 'unreachable' } },
      { instance: 'good', status: 'observed', diagnosis: { layers: expect.any(Object) } },
    ]);
  });

  test('with --instance only the others: exit 0', async () => {
    const { code, stdout } = await runOffpeak(['run', '-c', 'two.yml', '-i', 'good'], { cwd: place.folder });
    expect(code).toBe(0);
    expect(stdout).toContain(`good 127.0.0.1:${server.port}`);
    expect(stdout).not.toContain('gone');
  });

  test('as text: who does not answer, and why', async () => {
    const { code, stdout } = await runOffpeak(['check', '-c', 'two.yml'], { cwd: place.folder });
    expect(code).toBe(1);
    expect(stdout).toMatch(/two: 2 nodes, 1 observed, 1 unreachable/);
    expect(stdout).toContain(`no reply 127.0.0.1:${gone} cannot be reached: ECONNREFUSED`);
  });

  test('a state file that is corrupt: exit 1, nothing is planned, and it is said', async () => {
    const state = place.write('broken.json', '{ "half": ');
    const { code, documents } = await runOffpeak(['run', '-c', 'two.yml', '-i', 'good', '-s', state, '--json'], {
      cwd: place.folder,
    });
    expect(code).toBe(1);
    expect(documents).toMatchObject([
      {
        problem: expect.stringContaining('broken.json'),
        outcomes: [{ status: 'observed', plan: { kind: 'skip', reason: 'state-unavailable' } }],
      },
    ]);
  });
});
