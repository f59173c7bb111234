import { describe, expect, test } from 'vitest';
import { ACCEPTED_REFERENCES, printSecretReference, type SecretReference } from '../../../../core/config/address.ts';
import { configJsonSchema } from '../../../../core/config/json-schema.ts';
import { ConfigError, formatProblems } from '../../../../core/config/problem.ts';
import { configOf, fileWith, problemsOf } from './build.ts';

describe('a secret in the file is refused and never repeated', () => {
  test.each([
    ['a literal password', fileWith('credentials: { password: hunter2 }')],
    ['a password as a list', fileWith('credentials: { password: [hunter2] }')],
    ['a reference of a kind that is not known', fileWith('credentials: { password: "vault:hunter2" }')],
    ['a reference with a space', fileWith('credentials: { password: "env: hunter2" }')],
    ['a password without the space after its colon', fileWith('credentials: {password:hunter2}')],
    ['a bare word where the key should be', fileWith('credentials: { hunter2 }')],
    ['credentials that are the password', fileWith('credentials: hunter2')],
    ['a misspelt password', fileWith('credentials: { passwrod: hunter2 }')],
    ['a password outside of credentials', fileWith('password: hunter2')],
    ['a password among the TLS options', fileWith('tls: { password: hunter2, hunter2: 1 }')],
    ['a password in the place of the user name', fileWith('credentials: { username: "offpeak hunter2" }')],
    ['a PEM', fileWith('tls: { ca: "-----BEGIN hunter2" }')],
    ['a duplicated password', fileWith('credentials:', '  password: hunter2', '  password: hunter2')],
    ['a duplicated key that is one', fileWith('credentials: { hunter2, hunter2 }')],
    ['a URL with a user', urlFile('redis://offpeak:hunter2@h:6379')],
    ['a URL with only a password', urlFile('redis://:hunter2@h')],
    ['a URL with an @ in the password', urlFile('redis://u:p@hunter2@h')],
    ['a URL that lacks its host', urlFile('redis://u:hunter2')],
    ['a URL with a slash in the password', urlFile('redis://u:pa/hunter2@h')],
    ['a URL with an encoded @', urlFile('redis://u:hunter2%40h')],
    ['a URL with a query', urlFile('redis://h?password=hunter2')],
    ['a URL with a fragment', urlFile('redis://h#hunter2')],
    ['a URL without a scheme', urlFile('u:hunter2@h:6379')],
    ['a URL with a path', urlFile('redis://h/hunter2')],
    ['a URL as a mapping', 'instances:\n- id: a\n  url: { "redis://u:hunter2@h": }'],
    ['a URL as a key', 'instances:\n- id: a\n  "redis://u:hunter2@h": 1'],
    ['a URL as an instance', 'instances:\n- redis://u:hunter2@h'],
    ['a URL as an id', 'instances:\n- id: redis://u:hunter2@h\n  url: redis://h'],
    ['URLs in a list', 'instances:\n- id: a\n  nodes: [redis://u:hunter2@h, redis://b]'],
    ['a URL as the whole file', 'redis://u:hunter2@h'],
    ['a line that cannot be read', 'instances:\n- id: a\n\tpassword: hunter2'],
    ['a tag', fileWith('credentials: { password: !secret hunter2 }')],
    ['a value that begins with @', fileWith('credentials: { password: @hunter2 }')],
    ['an unclosed quote', fileWith('credentials: { password: "hunter2 }')],
    ['an alias', fileWith('credentials: { password: *hunter2 }')],
    ['a backslash', fileWith('credentials: { password: "\\hunter2" }')],
  ])('%s', (_, file) => {
    const problems = problemsOf(file);
    expect(problems).not.toEqual([]);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
    expect(formatProblems(problems, 'config/prod.yml')).not.toContain('hunter2');
    expect(new ConfigError(problems).message).not.toContain('hunter2');
  });

  test('a password of digits is hidden as well', () => {
    const [problem] = problemsOf(fileWith('credentials: { password: 4815162342 }'));
    expect(problem).toMatchObject({ path: 'instances[0].credentials.password', value: '(hidden)' });
    expect(JSON.stringify(problem)).not.toContain('4815');
  });

  function urlFile(url: string): string {
    return `instances:\n- id: a\n  url: ${JSON.stringify(url)}`;
  }
});

/** What editors check a reference against. */
const EDITOR_PATTERN = new RegExp(
  /"pattern":"(\^\(env:[^"]+)"/.exec(JSON.stringify(configJsonSchema()))?.[1] ?? '(?!)',
);

describe('credentials by reference', () => {
  test('say where the secret is', () => {
    const file = fileWith('credentials: { username: offpeak, password: env:SESSIONS_PASSWORD }');
    expect(configOf(file).instances[0]?.credentials).toEqual({
      username: 'offpeak',
      password: { source: 'env', name: 'SESSIONS_PASSWORD' },
    });
  });

  const ARN = 'arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:prod/redis-AbCdEf';
  test.each<[string, SecretReference]>([
    ['env:_A1', { source: 'env', name: '_A1' }],
    ['ssm:/redis', { source: 'ssm', name: '/redis' }],
    ['ssm:/redis/prod.eu/pass_word-2', { source: 'ssm', name: '/redis/prod.eu/pass_word-2' }],
    ['secretsmanager:redis', { source: 'secretsmanager', id: 'redis' }],
    ['secretsmanager:prod/redis@eu+1=a', { source: 'secretsmanager', id: 'prod/redis@eu+1=a' }],
    ['secretsmanager:redis#password', { source: 'secretsmanager', id: 'redis', key: 'password' }],
    ['secretsmanager:redis#auth.token', { source: 'secretsmanager', id: 'redis', key: 'auth.token' }],
    ['file:/etc/redis/pass word.txt', { source: 'file', path: '/etc/redis/pass word.txt' }],
    ['file:../certs/ca.pem', { source: 'file', path: '../certs/ca.pem' }],
    [`secretsmanager:${ARN}`, { source: 'secretsmanager', id: ARN }],
    [`secretsmanager:${ARN}#password`, { source: 'secretsmanager', id: ARN, key: 'password' }],
  ])('%s is one, in the file, in an editor and printed again', (text, reference) => {
    const { instances } = configOf(fileWith(`credentials: { password: ${JSON.stringify(text)} }`));
    expect(instances[0]?.credentials?.password).toEqual(reference);
    expect(printSecretReference(reference)).toBe(text);
    expect(text).toMatch(EDITOR_PATTERN);
  });

  test.each([
    'env:',
    'env:1A',
    'ENV:A',
    'env:A-B',
    'env:A#key',
    'ssm:',
    'ssm:/',
    'ssm:redis',
    'ssm:/redis/',
    'ssm://redis',
    'ssm:/redis/password:3',
    `ssm:${'/a'.repeat(16)}`,
    'ssm:/redis#key',
    'secretsmanager:',
    'secretsmanager:re dis',
    'secretsmanager:redis#',
    'secretsmanager:redis#a#b',
    'secretsmanager:arn:aws:ssm:eu-west-1:123456789012:parameter/redis',
    `secretsmanager:${'a'.repeat(513)}`,
    ' env:A',
    'env:A\n',
    'vault:redis',
    'file:',
    'file:~/ca.pem',
    'file: ca.pem',
    'file:a\nb',
    `file:${'a'.repeat(1025)}`,
  ])('%j is not one', (reference) => {
    expect(problemsOf(fileWith(`credentials: { password: ${JSON.stringify(reference)} }`))).toEqual([
      {
        path: 'instances[0].credentials.password',
        value: '(hidden)',
        accepted: ACCEPTED_REFERENCES,
        message: '(hidden) is not a reference',
        line: 4,
      },
    ]);
    expect(reference).not.toMatch(EDITOR_PATTERN);
  });

  test('a user name is plain text: a reference there would be sent as the name', () => {
    expect(problemsOf(fileWith('credentials: { username: env:REDIS_USER }'))).toMatchObject([
      { path: 'instances[0].credentials.username', message: '(hidden) does not have that form' },
    ]);
  });
});

describe('a client certificate (public report 12)', () => {
  const tls = (...keys: readonly string[]) => {
    const refs = keys.map((key) => `${key}: file:certs/${key}.pem`).join(', ');
    return `instances:\n  - { id: a, url: rediss://a, tls: { ${refs} } }`;
  };

  test('is named with its key, and the passphrase of that', () => {
    expect(configOf(tls('ca', 'cert', 'key', 'passphrase')).instances[0]?.tls).toEqual({
      ca: { source: 'file', path: 'certs/ca.pem' },
      cert: { source: 'file', path: 'certs/cert.pem' },
      key: { source: 'file', path: 'certs/key.pem' },
      passphrase: { source: 'file', path: 'certs/passphrase.pem' },
    });
  });

  test.each([
    [['cert'], 'key', 'is missing: `tls.cert` is of no use without it', /private key of `tls\.cert`/],
    [['ca', 'key'], 'cert', 'is missing: `tls.key` is of no use without it', /certificate of `tls\.key`/],
    [
      ['passphrase'],
      'key',
      'is missing: `tls.passphrase` is of no use without it',
      /private key that the passphrase opens/,
    ],
  ])('%j alone is refused', (keys, missing, message, accepted) => {
    expect(problemsOf(tls(...keys))).toMatchObject([
      { path: `instances[0].tls.${missing}`, message, accepted: expect.stringMatching(accepted) },
    ]);
  });

  test('a certificate for all, and a key for each', () => {
    const file = `defaults: { tls: { cert: env:CERT } }\n${tls('key')}`;
    expect(configOf(file).instances[0]?.tls).toMatchObject({ cert: { name: 'CERT' }, key: { path: 'certs/key.pem' } });
  });
});
