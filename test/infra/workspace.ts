import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';

const ROOT = join(import.meta.dirname, '..', '..');
const SHARED = ['functions', 'infra', 'node_modules'];
const COPIED = ['serverless.yml', 'package.json'];

/** What a command said and how it ended. */
export interface Said {
  readonly code: number;
  /** Both streams. */
  readonly output: string;
}

/** The project with configurations of its own, so that packaging neither sees nor changes the real one's. */
export interface Workspace extends Disposable {
  readonly folder: string;
  config(stage: string, yaml: string): void;
  read(path: string): Buffer;
  /** `npm run <command> -- <args>`, with nothing of AWS in its environment but what `env` brings. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>, umask?: string): Promise<Said>;
}

export function makeWorkspace(): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'offpeak-stack-'));
  for (const name of SHARED) symlinkSync(join(ROOT, name), join(folder, name));
  for (const name of COPIED) copyFileSync(join(ROOT, name), join(folder, name));
  mkdirSync(join(folder, 'config'));
  return {
    folder,
    config: (stage, yaml) => writeFileSync(join(folder, 'config', `${stage}.yml`), yaml),
    read: (path) => readFileSync(join(folder, path)),
    run: (args, env = {}, umask = '022') => run(folder, args, env, umask),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function run(
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  umask: string,
): Promise<Said> {
  const { PATH = '' } = process.env;
  // Without a home of its own osls would find the developer's ~/.aws.
  const clean = { PATH, HOME: cwd, AWS_EC2_METADATA_DISABLED: 'true', ...env };
  const withUmask = ['-c', 'umask "$0"; exec "$@"', umask, process.execPath];
  const child = spawn('sh', [...withUmask, 'infra/deploy.ts', ...args], {
    cwd,
    env: clean,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (chunk: Buffer) => {
    output += chunk;
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? 1, output })));
}

const CFN_LINT_IS_THERE = spawnSync('sh', ['-c', 'command -v cfn-lint']).status === 0;

/** `describe` for tests that need cfn-lint: without it they are skipped and say why; in CI they fail instead. */
export function describeWithCfnLint(name: string, tests: () => void): void {
  if (CFN_LINT_IS_THERE || process.env.CI) describe(name, tests);
  else describe.skip(`${name} (skipped: cfn-lint is not on the PATH: install it with \`pip install cfn-lint\`)`, tests);
}

/** What cfn-lint finds in a template: nothing is the empty text. */
export function cfnLint(file: string): string {
  const { stdout, stderr, error } = spawnSync('cfn-lint', [file], { encoding: 'utf8' });
  return error === undefined ? stdout + stderr : String(error);
}
