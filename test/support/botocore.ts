import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';

/** AWS' SDK for Python, which moto brings along: a second implementation of what Offpeak signs and sends. */
const SCRIPTS = join(import.meta.dirname, '../fixtures/botocore');

export const PYTHON = ['python3', pythonOfMoto()].find(
  (path) => path !== undefined && spawnSync(path, ['-c', 'import botocore.auth']).status === 0,
);
const MISSING = 'no Python with botocore: install it with `pip install "moto[server]"`';

/** `test` for what needs botocore: without it the test is skipped and says why; in CI it fails instead. */
export function testWithBotocore(name: string, run: () => void | Promise<void>): void {
  if (PYTHON !== undefined || process.env.CI) test(name, run);
  else test.skip(`${name} (skipped: ${MISSING})`, run);
}

/** The answer of one of the scripts in test/fixtures/botocore to `input`, both JSON. @throws Error with what Python said */
export function askBotocore(script: string, input: unknown): unknown {
  if (PYTHON === undefined) throw new Error(MISSING);
  const { status, stdout, stderr } = spawnSync(PYTHON, [join(SCRIPTS, script)], {
    input: JSON.stringify(input),
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(`${script} failed: ${stderr.slice(-2_000)}`);
  return JSON.parse(stdout);
}

/** Where pip has installed moto apart from the system's Python, its script names the Python that has botocore too. */
function pythonOfMoto(): string | undefined {
  const path = spawnSync('sh', ['-c', 'command -v moto_server'], { encoding: 'utf8' }).stdout.trim();
  const [, python] =
    path !== '' && existsSync(path) ? (/^#!(\S*python\S*)/.exec(readFileSync(path, 'utf8')) ?? []) : [];
  return python;
}
