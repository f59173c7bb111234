import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Format } from 'esbuild';
import { expect, test } from 'vitest';
import { withoutUnusedParts } from '../../infra/unused-parts.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const bundle = (absWorkingDir: string, contents: string, format: Format = 'cjs') =>
  build({
    format,
    // As the functions are built.
    mainFields: ['module', 'main'],
    absWorkingDir,
    stdin: { contents, resolveDir: absWorkingDir },
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    logLevel: 'silent',
    plugins: [withoutUnusedParts],
  });

test('of ioredis, the cluster, the sentinel and 285 of 301 commands stay out of the bundle', async () => {
  const { outputFiles, metafile } = await bundle(ROOT, "import { Redis } from 'ioredis'; new Redis();");
  const text = outputFiles[0]?.text ?? '';
  // By words: a difference between the texts would be shown with all of the bundle.
  expect(['latency: {', 'lolwut: {'].map((word) => text.includes(word))).toEqual([true, false]);
  expect(text.includes('himportFieldsets must be an array')).toBe(false);
  for (const part of ['ConnectionPool.js', 'SentinelIterator.js', 'debug/src/node.js']) {
    expect(Object.keys(metafile.inputs).filter((path) => path.endsWith(part))).toEqual([]);
  }
});

test('of the SDK, what its manifests say beside their version, a cache for endpoints that nobody asks for, and what only browsers and streams need', async () => {
  const { outputFiles, metafile } = await bundle(
    ROOT,
    "import { DynamoDBClient } from '@aws-sdk/client-dynamodb'; new DynamoDBClient();",
  );
  const text = outputFiles[0]?.text ?? '';
  const { version } = JSON.parse(
    readFileSync(join(ROOT, 'node_modules/@aws-sdk/client-dynamodb/package.json'), 'utf8'),
  );
  expect([version, '"@aws-sdk/client-dynamodb"'].map((word) => text.includes(word))).toEqual([true, false]);
  const unused = /obliterator|bowser|eventstream-codec/;
  expect(Object.keys(metafile.inputs).filter((path) => unused.test(path))).toEqual([]);
});

test('the cache in its place caches', async () => {
  const { outputFiles } = await bundle(ROOT, "export { EndpointCache } from '@aws-sdk/endpoint-cache';", 'esm');
  const { EndpointCache } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0]?.text ?? '')}`);
  const cache = new EndpointCache(10);
  expect([cache.has('a'), cache.getEndpoint('a')]).toEqual([false, undefined]);
  cache.set('a', [{ Address: 'dynamodb.example', CachePeriodInMinutes: 1 }]);
  expect([cache.has('a'), cache.getEndpoint('a')]).toEqual([true, 'dynamodb.example']);
  cache.delete('a');
  expect(cache.has('a')).toBe(false);
});

test('an ioredis that keeps them elsewhere fails the build, with the parts that it brought back', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'offpeak-moved-'));
  try {
    mkdirSync(join(folder, 'node_modules/ioredis/built'), { recursive: true });
    writeFileSync(join(folder, 'node_modules/ioredis/built/Redis.js'), 'exports.Redis = class {};');
    await expect(bundle(folder, "import 'ioredis/built/Redis.js';")).rejects.toThrow(
      /infra\/unused-parts\.ts: nothing matches .*commands/,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a bundle without ioredis lacks nothing', async () => {
  expect((await bundle(ROOT, 'export const one = 1;')).errors).toEqual([]);
});
