import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../../../core/adapters/config-file.ts';

const YAML = 'instances:\n  - { id: sessions, url: redis://10.0.0.5 }\n';
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'offpeak-config-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

test('what packaging makes of a file is read as the file itself', () => {
  const config = readConfig(file('prod.yml', YAML), 'prod');
  expect(config).toMatchObject({ stage: 'prod', instances: [{ id: 'sessions' }] });
  expect(readConfig(file('config.json', JSON.stringify(config)), 'prod')).toEqual(config);
});

test.each([
  ['is cut off', '{"stage":"prod","inst', 'is not JSON'],
  ['is of another stage', '{"stage":"dev","instances":[]}', 'is not the one of stage prod'],
  ['has no instances', '{"stage":"prod"}', 'is not the one of stage prod'],
  ['is null', 'null', 'is not the one of stage prod'],
])('a packaged file that %s is refused', (_, text, message) => {
  expect(() => readConfig(file('config.json', text), 'prod')).toThrow(message);
});

test('a file that is not there is named', () => {
  expect(() => readConfig(join(folder, 'nowhere.json'), 'prod')).toThrow(/nowhere\.json cannot be read \(ENOENT\)/);
});

test('a wrong YAML file lists its problems', () => {
  expect(() => readConfig(file('bad.yml', 'instances: []'), 'prod')).toThrow(/bad\.yml:1 instances/);
});

test('file: references begin at the folder of the config file, wherever Offpeak runs', () => {
  const text =
    'instances:\n  - { id: a, url: rediss://a, credentials: { password: file:/run/pw }, tls: { ca: file:certs/ca.pem, cert: env:C, key: file:../k } }\n';
  const [instance] = readConfig(file('files.yml', text), 'prod').instances;
  expect(instance?.credentials?.password).toEqual({ source: 'file', path: '/run/pw' });
  expect(instance?.tls).toEqual({
    ca: { source: 'file', path: join(folder, 'certs/ca.pem') },
    cert: { source: 'env', name: 'C' },
    key: { source: 'file', path: join(dirname(folder), 'k') },
  });
});
