import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readSecretFile } from '../../../../core/adapters/secret-file.ts';

/** A regular file whose size is 0 until it is read. */
const OF_THE_KERNEL = '/proc/version';

test.skipIf(!existsSync(OF_THE_KERNEL))('a file is read to its end, whatever size it says', async () => {
  expect(`${await readSecretFile(OF_THE_KERNEL)}\n`).toBe(readFileSync(OF_THE_KERNEL, 'utf8'));
});

test('1 MiB is read whole, one byte more is refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'offpeak-secret-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'ca.pem');
  writeFileSync(file, 'x'.repeat(2 ** 20));
  expect(await readSecretFile(file)).toHaveLength(2 ** 20);
  writeFileSync(file, 'x'.repeat(2 ** 20 + 1));
  await expect(readSecretFile(file)).rejects.toThrow('is larger than 1 MiB');
});
