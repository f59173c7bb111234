import type { TestProject } from 'vitest/node';
import { findDefragServer, findPlainServer } from '../../cli/lab/find.ts';

/** Finds both kinds of server before the workers start, one after the other, so that nothing is built twice. */
export async function setup(project: TestProject): Promise<void> {
  const log = (line: string) => process.stderr.write(`${line}\n`);
  const defrag = await findDefragServer({ log });
  const plain = await findPlainServer({ log });
  for (const server of [defrag, plain]) {
    if (server.kind === 'missing')
      log(`Tests that need it ${process.env.CI ? 'fail' : 'are skipped'}: ${server.reason}. ${server.install}`);
  }
  project.provide('servers', { defrag, plain });
}
