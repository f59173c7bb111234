import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { noticesOf } from '../../infra/notices.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'offpeak-notices-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A package, and what esbuild says of a bundle with one file of it. */
function install(name: string, license: string, file?: string): string {
  const folder = join(root, 'node_modules', name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ name, version: '1.2.3', license, author: 'Ann Author' }),
  );
  if (file !== undefined) writeFileSync(join(folder, file), `The text of ${license}.\r\n`);
  return `node_modules/${name}/index.js`;
}

function notices(...paths: readonly string[]): string {
  const inputs = Object.fromEntries(paths.map((path) => [path, { bytesInOutput: 10 }]));
  const output = { inputs, bytes: 10, imports: [], exports: [] };
  return noticesOf(root, { inputs: {}, outputs: { 'dist/handler.mjs': output } });
}

test('packages with one text share it, whatever the order in which they were bundled', () => {
  const paths = [install('b', 'MIT', 'license.md'), install('@a/a', 'MIT', 'LICENSE'), 'functions/ours/handler.ts'];
  expect(notices(...paths)).toBe(
    'The code in this folder holds the following software, under these licences.\n\n' +
      '@a/a 1.2.3 (MIT)\nb 1.2.3 (MIT)\n\nThe text of MIT.\n',
  );
  expect(notices(...paths.toReversed())).toBe(notices(...paths));
});

test('a package without a file of its licence is named with its author, and where the text stands', () => {
  const text = notices(install('a', 'MIT', 'LICENSE'), install('b', 'MIT'), install('c', 'MIT-0'));
  expect(text).toContain('b 1.2.3 (MIT): by Ann Author; for the text of its licence see a\n');
  expect(text).toContain('c 1.2.3 (MIT-0): by Ann Author; its licence asks for no notice\n');
});

test('a package whose licence stands nowhere is refused by name', () => {
  const paths = [install('a', 'MIT', 'LICENSE'), install('b', 'BSD-3-Clause')];
  expect(() => notices(...paths)).toThrow(
    'b 1.2.3 (BSD-3-Clause) has no licence file, and no other package has the text',
  );
});

test('what is left out of the bundle needs no notice', () => {
  const output = { inputs: { [install('a', 'GPL')]: { bytesInOutput: 0 } }, bytes: 0, imports: [], exports: [] };
  expect(noticesOf(root, { inputs: {}, outputs: { 'dist/handler.mjs': output } })).not.toContain('GPL');
});
