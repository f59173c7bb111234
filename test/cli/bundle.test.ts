import { execFile } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bundlePath, END } from '../../cli/bundle.ts';

const ROOT = join(import.meta.dirname, '../..');
let clone = '';
const main = (word: string) =>
  writeFileSync(join(clone, 'cli/main.ts'), `const word: string = '${word}';\nconsole.log(word);\n`);
const start = async (words: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  await promisify(execFile)(process.execPath, [join(clone, 'cli/offpeak.js'), ...words], {
    env: { ...process.env, ...env },
  });
const run = async (...words: readonly string[]) => (await start(words)).stdout;
const kept = () => readdirSync(join(clone, 'node_modules/.cache/offpeak')).filter((name) => name.endsWith('.mjs'));

beforeEach(() => {
  clone = mkdtempSync(join(tmpdir(), 'offpeak-clone-'));
  for (const folder of ['cli', 'core', 'node_modules/.bin']) mkdirSync(join(clone, folder), { recursive: true });
  for (const name of ['offpeak.js', 'bundle.ts']) copyFileSync(join(ROOT, 'cli', name), join(clone, 'cli', name));
  writeFileSync(join(clone, 'package.json'), '{ "type": "module" }');
  symlinkSync(join(ROOT, 'node_modules/.bin/esbuild'), join(clone, 'node_modules/.bin/esbuild'));
  main('one');
});
afterEach(() => rmSync(clone, { recursive: true, force: true }));

test('the second start runs the bundle of the first, and an edit is never missed', async () => {
  expect(await run('check')).toBe('one\n');
  const [bundle = ''] = kept();
  expect(join(clone, 'node_modules/.cache/offpeak', bundle)).toBe(bundlePath(clone));
  appendFileSync(bundlePath(clone), `console.log("from the bundle");\n${END}`);
  expect(await run('check')).toBe('one\nfrom the bundle\n');
  main('two');
  expect(await run('check')).toBe('two\n');
  expect(kept()).toHaveLength(1);
  expect(kept()).not.toContain(bundle);
  main('one');
  expect(await run('check')).toBe('one\n');
});

test.each(['core/tick.ts', 'package.json', 'node_modules/.package-lock.json'])('%s is part of the name', (file) => {
  const before = bundlePath(clone);
  expect(bundlePath(clone)).toBe(before);
  writeFileSync(join(clone, file), '{ "type": "module", "version": "2" }');
  expect(bundlePath(clone)).not.toBe(before);
});

test('--version makes no bundle: it needs a dozen of the files', async () => {
  expect(await run('--version')).toBe('one\n');
  expect(kept()).toEqual([]);
});

test('without esbuild each start reads the sources', async () => {
  rmSync(join(clone, 'node_modules/.bin/esbuild'));
  expect(await run('check')).toBe('one\n');
  expect(kept()).toEqual([]);
  expect(await run('check')).toBe('one\n');
});

test('a bundle that is empty, cut off or unreadable is written anew, and the start reads the sources', async () => {
  await run('check');
  const whole = readFileSync(bundlePath(clone), 'utf8');
  expect(whole.endsWith(END)).toBe(true);
  for (const text of ['', whole.slice(0, -2)]) {
    writeFileSync(bundlePath(clone), text);
    expect(await run('check')).toBe('one\n');
    expect(readFileSync(bundlePath(clone), 'utf8')).toBe(whole);
  }
  rmSync(bundlePath(clone));
  mkdirSync(bundlePath(clone));
  expect(await run('check')).toBe('one\n');
});

test('where the sources have no name, since one cannot be read, they are run all the same', async () => {
  rmSync(join(clone, 'core'), { recursive: true });
  expect(await run('check')).toBe('one\n');
});

test('with NODE_DEBUG=child_process, Node prints no password of the environment', async () => {
  const { stderr } = await start(['check'], { NODE_DEBUG: 'child_process', REDISCLI_AUTH: 'hunter2' });
  expect(kept()).toHaveLength(1);
  expect(stderr).toContain('CHILD_PROCESS');
  expect(stderr).not.toContain('hunter2');
});
