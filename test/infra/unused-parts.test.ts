import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { withoutUnusedParts } from '../../infra/unused-parts.ts';

const ROOT = join(import.meta.dirname, '..', '..');

const bundle = (absWorkingDir: string, contents: string) =>
  build({
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
  for (const part of ['ConnectionPool.js', 'SentinelIterator.js', 'debug/src/node.js']) {
    expect(Object.keys(metafile.inputs).filter((path) => path.endsWith(part))).toEqual([]);
  }
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
