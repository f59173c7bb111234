import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** What makes and removes the stack of a stage. */
type StackCommand = 'package' | 'deploy' | 'remove';

/**
 * Runs a command of the stack in a process of its own: osls and what it needs are no part of the command line. In a clone it is infra/deploy.ts,
 * for the clone; in the npm package stack/deploy.mjs, for the folder in which it was typed.
 */
export async function stack(command: StackCommand, args: readonly string[]): Promise<void> {
  const packed = join(import.meta.dirname, '../stack/deploy.mjs');
  const clone = cloneFolder();
  const [script, cwd] = existsSync(packed) ? [packed, process.cwd()] : [join(clone, 'infra/deploy.ts'), clone];
  const child = spawn(process.execPath, [script, command, ...args], { cwd, stdio: 'inherit' });
  const [code] = await once(child, 'exit');
  process.exitCode = typeof code === 'number' ? code : 1;
}

/** This module is in cli/commands, or in the bundle that a clone keeps below its node_modules. */
function cloneFolder(): string {
  const here = import.meta.dirname;
  const modules = here.lastIndexOf(join('/', 'node_modules', '.cache'));
  return modules < 0 ? join(here, '../..') : here.slice(0, modules);
}
