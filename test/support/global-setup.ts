import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { bundlePath, isWhole, writeBundle } from '../../cli/bundle.ts';
import { findDefragServer, findPlainServer } from '../../cli/lab/find.ts';

const ROOT = join(import.meta.dirname, '../..');

/** Finds both kinds of server before the workers start, one after the other, so that nothing is built twice; the command line as well. */
export async function setup(project: TestProject): Promise<void> {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const defrag = await findDefragServer({ log });
  const plain = await findPlainServer({ log });
  for (const server of [defrag, plain]) {
    if (server.kind === 'missing')
      log(`Tests that need it ${process.env.CI ? 'fail' : 'are skipped'}: ${server.reason}. ${server.install}`);
  }
  const bundle = bundlePath(ROOT);
  if (!isWhole(bundle)) await writeBundle(ROOT, bundle);
  project.provide('servers', { defrag, plain });
}
