import { describe, expect, test } from 'vitest';
import { configOf, problemsOf } from './build.ts';

const file = (credentials: string, url = 'rediss://10.0.0.5') =>
  `instances:\n  - id: carts\n    url: ${url}\n    credentials: ${credentials}\n`;
const problemOf = (...given: Parameters<typeof file>) => {
  const problems = problemsOf(file(...given));
  expect(problems).toHaveLength(1);
  return problems[0];
};

describe('credentials.iam', () => {
  test.each([
    ['{ elasticache: carts }', { service: 'elasticache', group: 'carts' }],
    ['{ memorydb: Ledger-1 }', { service: 'memorydb', group: 'ledger-1' }],
    [`{ elasticache: a${'1'.repeat(39)} }`, { service: 'elasticache', group: `a${'1'.repeat(39)}` }],
  ])('names a service and a group, in lower case as AWS stores it: %s', (iam, expected) => {
    const [instance] = configOf(file(`{ username: offpeak, iam: ${iam} }`)).instances;
    expect(instance?.credentials).toEqual({ username: 'offpeak', iam: expected });
  });

  test.each([
    ['hunter2', 'is not a service that Offpeak can sign in to with IAM'],
    ['[elasticache]', 'does not name a service that Offpeak can sign in to with IAM'],
    ['{}', 'does not name one service'],
    ['5', 'does not name one service'],
    ['{ elasticache: a, memorydb: b }', 'does not name one service'],
    ['{ rds: carts }', 'does not name a service that Offpeak can sign in to with IAM'],
    ['{ elasticache: "" }', 'does not name a group: 1 to 40'],
    ['{ elasticache: 1carts }', 'does not name a group: 1 to 40'],
    ['{ elasticache: carts--1 }', 'does not name a group: 1 to 40'],
    ['{ elasticache: carts- }', 'does not name a group: 1 to 40'],
    ['{ elasticache: "carts/?Action=x" }', 'does not name a group: 1 to 40'],
    ['{ elasticache: carts.abc.euw1.cache.amazonaws.com }', 'does not name a group: 1 to 40'],
    [`{ elasticache: a${'1'.repeat(40)} }`, 'does not name a group: 1 to 40'],
  ])('that is not one is refused, and not repeated, since it may be a password: %s', (iam, message) => {
    const problem = problemOf(`{ username: offpeak, iam: ${iam} }`);
    expect(problem).toMatchObject({ path: 'instances[0].credentials.iam' });
    expect(problem?.message).toContain(message);
    expect(problem?.accepted).toMatch(/^\{ elasticache: <id of the replication group> \} or \{ memorydb: <name/);
    expect(JSON.stringify(problem)).not.toContain('hunter2');
  });

  const IAM = 'iam: { elasticache: carts }';
  test.each([
    ['no user', `{ ${IAM} }`, 'username', 'is missing: a token of IAM is for one user'],
    ['a name that no user with IAM has', `{ username: my_user, ${IAM} }`, 'username', 'is not the id of a user'],
    ['a password too', `{ username: a, ${IAM}, password: "ssm:/a" }`, 'password', '`iam` is set as well'],
    ['no group where the nodes are written', '{ username: a, iam: elasticache }', 'iam', 'names no group'],
  ])('with %s is refused', (_what, credentials, key, message) => {
    const problem = problemOf(credentials);
    expect(problem?.path).toBe(`instances[0].credentials.${key}`);
    expect(problem?.message).toContain(message);
  });

  test('needs TLS: a redis: address is refused', () => {
    expect(problemOf(`{ username: a, ${IAM} }`, 'redis://10.0.0.5')).toMatchObject({
      path: 'instances[0].url',
      accepted: 'rediss:// addresses where `credentials.iam` is set',
      message: '10.0.0.5:6379 is a redis: address, and AWS takes a token of IAM over TLS only',
    });
  });

  test('takes the user that ElastiCache makes for a group', () => {
    expect(problemsOf(file(`{ username: default.offpeak, ${IAM} }`))).toEqual([]);
  });
});
