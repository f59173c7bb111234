import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../../../core/config/parse.ts';
import { formatProblems } from '../../../../core/config/problem.ts';
import { configOf, fileWith, problemsOf } from './build.ts';

/** A file of one instance with these lines after it. */
function stackFile(...lines: readonly string[]): string {
  return [fileWith(), ...lines].join('\n');
}

describe('what is not written has its default', () => {
  test('of every key of the stack', () => {
    const { schedule, metrics, notifications, runbook, logRetention } = configOf(stackFile());
    expect({ schedule, metrics, notifications, runbook, logRetention }).toEqual({
      schedule: { every: 300_000, timezone: 'UTC' },
      metrics: { send: 'classic' },
      notifications: { emails: [], digest: 'info' },
      runbook: undefined,
      logRetention: 30,
    });
  });

  test('the zone of the schedule is the one of `defaults`, unless it is written', () => {
    const defaults = 'defaults: { timezone: Asia/Tokyo }';
    expect(configOf(stackFile(defaults)).schedule.timezone).toBe('Asia/Tokyo');
    expect(configOf(stackFile(defaults, 'schedule: { timezone: UTC }')).schedule.timezone).toBe('UTC');
  });
});

test.each([
  ['1m', 1],
  ['5m', 5],
  ['12m', 12],
  ['60m', 60],
  ['1h', 60],
])('every %s is %i minutes', (every, minutes) => {
  expect(configOf(stackFile(`schedule: { every: ${every} }`)).schedule.every).toBe(minutes * 60_000);
});

describe('a bad value names its path and what is accepted', () => {
  test.each([
    ['schedule: { every: 7m }', 'schedule.every', '"7m" does not divide the hour'],
    ['schedule: { every: 2h }', 'schedule.every', '"2h" is not such a duration'],
    ['schedule: { every: 0m }', 'schedule.every', '"0m" does not divide the hour'],
    ['schedule: { every: 90s }', 'schedule.every', '"90s" is not such a duration'],
    ['schedule: { every: 5 }', 'schedule.every', '5 is not such a duration'],
    ['schedule: { timezone: Mars/Olympus }', 'schedule.timezone', '"Mars/Olympus" is not a time zone'],
    ['schedule: { evry: 5m }', 'schedule.evry', 'unknown key `evry`: did you mean `every`?'],
    ['metrics: detailed', 'metrics', 'is not a mapping'],
    ['metrics: { send: emf }', 'metrics.send', '"emf" is not one of the choices'],
    ['metrics: { sent: otlp }', 'metrics.sent', 'unknown key `sent`: did you mean `send`?'],
    ['logRetention: 31d', 'logRetention', '"31d" is not a retention that CloudWatch Logs accepts'],
    ['logRetention: 30', 'logRetention', '30 is not a number of days with its unit'],
    ['logRetention: for ever', 'logRetention', '"for ever" is not a number of days with its unit'],
    ['runbook: http://wiki.example', 'runbook', '"http://wiki.example" does not have that form'],
    ['runbook: docs/runbook.md', 'runbook', '"docs/runbook.md" does not have that form'],
    ['runbook: "https://wiki.example/a#b"', 'runbook', 'does not have that form'],
    ['notifications: { emails: redis@example.org }', 'notifications.emails', 'is not a list'],
    ['notifications: { emails: [redis] }', 'notifications.emails[0]', '"redis" is not an e-mail address'],
    ['notifications: { emails: ["a@b"] }', 'notifications.emails[0]', 'is not an e-mail address'],
    [
      'notifications: { emails: ["a@b.example", "c d@b.example"] }',
      'notifications.emails[1]',
      'is not an e-mail address',
    ],
    ['notifications: { emails: [5] }', 'notifications.emails[0]', '5 is not an e-mail address'],
    ['notifications: { emails: [{ from: warning }] }', 'notifications.emails[0]', 'has no e-mail address'],
    [
      'notifications: { emails: [{ address: a@b.example, from: high }] }',
      'notifications.emails[0]',
      'has a `from` that is not a severity',
    ],
    [
      'notifications: { emails: [{ address: a@b.example, form: warning }] }',
      'notifications.emails[0]',
      'has the unknown key `form`',
    ],
    ['notifications: { digest: weekly }', 'notifications.digest', '"weekly" is not one of the choices'],
    [
      'notifications: { slack: { webhook: env:A, from: all } }',
      'notifications.slack.from',
      'is not one of the choices',
    ],
    ['notifications: { chat: teams }', 'notifications.chat', '"teams" is not one of the choices'],
    ['notifications: { slack: {} }', 'notifications.slack.webhook', 'is required'],
    ['notifications: { slack: { weebhook: env:A } }', 'notifications.slack.weebhook', 'did you mean `webhook`?'],
    ['notifcations: {}', 'notifcations', 'unknown key `notifcations`: did you mean `notifications`?'],
  ])('{ %s }', (line, path, message) => {
    const problems = problemsOf(stackFile(line));
    const found = problems.find((problem) => problem.path.startsWith(path));
    expect(found?.message).toContain(message);
    expect(found?.line).toBe(4);
    expect(found?.accepted).not.toBe('');
  });

  test('all of them at once, with those of the instances', () => {
    const file = [
      'instances: [{ id: A, url: redis://h }]',
      'schedule: { every: 7m }',
      'notifications: { emails: [x] }',
      'logRetention: 2d',
    ].join('\n');
    expect(problemsOf(file).map(({ path }) => path)).toEqual([
      'instances[0].id',
      'schedule.every',
      'notifications.emails[0]',
      'logRetention',
    ]);
  });

  test('an address that is there twice is told with its first place, whatever its case', () => {
    for (const second of ['A@b.example', '{ address: A@b.example, from: critical }'])
      expect(problemsOf(stackFile(`notifications: { emails: [a@b.example, ${second}] }`))).toMatchObject([
        { path: 'notifications.emails[1]', message: 'A@b.example is already at notifications.emails[0]' },
      ]);
  });
});

describe('the address of the webhook is a secret: it is never repeated', () => {
  test.each([
    'slack: { webhook: "https://hooks.slack.com/services/T0/B0/hunter2" }',
    'slack: { webhook: hunter2 }',
    'slack: hunter2',
    'slack: { hunter2: 1 }',
    'slack: {webhook:hunter2}',
    'slack: [hunter2]',
  ])('{ %s }', (line) => {
    const problems = problemsOf(stackFile(`notifications: { ${line} }`));
    expect(problems).not.toEqual([]);
    expect(formatProblems(problems, 'config/prod.yml')).not.toContain('hunter2');
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });
});

describe('a stack refuses env: and file:, which reach no Lambda', () => {
  const FILE = [
    'defaults: { tls: { ca: env:CA } }',
    'instances:',
    '  - { id: a, url: rediss://a, credentials: { password: env:A } }',
    '  - { id: b, url: rediss://b, credentials: { password: ssm:/b }, tls: { ca: "secretsmanager:ca" } }',
    '  - { id: c, url: rediss://c, tls: { ca: "ssm:/ca", cert: "ssm:/c", key: "file:c.key" } }',
    'notifications: { slack: { webhook: env:WEBHOOK } }',
  ].join('\n');

  test('each with its place, what comes from `defaults` once', () => {
    const result = parseConfig(FILE, 'prod', 'deploy');
    const problems = result.ok ? [] : result.problems;
    expect(problems.map(({ line, path }) => `${line} ${path}`)).toEqual([
      '1 defaults.tls.ca',
      '3 instances[0].credentials.password',
      '5 instances[2].tls.key',
      '6 notifications.slack.webhook',
    ]);
    expect(new Set(problems.map(({ accepted }) => accepted))).toEqual(
      new Set(['ssm:/path/of/parameter or secretsmanager:name, which the deployed functions can read']),
    );
  });

  test('a run from a terminal takes it', () => {
    expect(parseConfig(FILE, 'prod')).toMatchObject({ ok: true });
  });
});
