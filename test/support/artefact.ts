import { spawnSync } from 'node:child_process';
import { describe, test } from 'vitest';
import { makeWorkspace, type Workspace } from '../infra/workspace.ts';
import { findRic, type Ric } from './lambda-ric.ts';

const found = await findRic((line) => process.stderr.write(`${line}\n`));

/** `describe` for tests that need the ric: without it they are skipped and say why; in CI they fail instead. */
export function describeWithRic(name: string, tests: (ric: Ric) => void): void {
  if (found.kind === 'found') return void describe(name, () => tests(found));
  const { reason } = found;
  if (!process.env.CI) return void test.skip(`${name} (skipped: ${reason})`, () => {});
  test(name, () => {
    throw new Error(reason);
  });
}

/** A project of its own in which the stage `prod` is packaged from this file. @throws when packaging fails */
export async function packaged(yaml: string): Promise<Workspace> {
  const workspace = makeWorkspace();
  workspace.config('prod', yaml);
  const { code, output } = await workspace.run(['package', '--stage', 'prod']);
  if (code === 0) return workspace;
  workspace[Symbol.dispose]();
  throw new Error(`packaging ended with ${code}:\n${output}`);
}

/** Paths of what is in a zip. */
export function contentsOf(zip: string): readonly string[] {
  const { stdout, stderr, status } = spawnSync('unzip', ['-Z1', zip], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${zip} cannot be listed: ${stderr}`);
  return stdout.trim().split('\n');
}
