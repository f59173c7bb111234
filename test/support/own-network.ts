import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe } from 'vitest';

/** Runs a script where nothing but loopback is reached, and the system's name server is 127.0.0.1, with the search domain cluster.test; its one line of JSON. */
type InOwnNetwork = (script: string, env: Readonly<Record<string, string>>) => Promise<unknown>;

/** Root needs no user namespace; anybody else becomes root in one, where the kernel lets them. */
const UNSHARE = process.getuid?.() === 0 ? ['-m', '-n'] : ['-r', '-m', '-n'];
const SETUP = 'ip link set lo up && mount --bind "$1" /etc/resolv.conf && shift && exec "$@"';
const TIMEOUT_MS = 120_000;

const probe = inOwnNetwork(['true']);
const POSSIBLE = spawnSync(probe.command, probe.args).status === 0;
probe.remove();

/**
 * `describe` for tests with a name server of the system. It takes a right that a container may not have, in CI as well: then they are
 * skipped, and say why.
 */
export function describeInOwnNetwork(name: string, tests: (run: InOwnNetwork) => void): void {
  const why = 'a network of its own takes `unshare -m -n` and `ip`, and the right to use them';
  if (POSSIBLE) describe(name, () => tests(run));
  else describe.skip(`${name} (skipped: ${why})`, () => tests(run));
}

function inOwnNetwork(command: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'offpeak-network-'));
  const resolvers = join(folder, 'resolv.conf');
  writeFileSync(resolvers, 'nameserver 127.0.0.1\nsearch cluster.test\n');
  return {
    command: 'unshare',
    args: [...UNSHARE, 'sh', '-c', SETUP, 'sh', resolvers, ...command],
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function run(script: string, env: Readonly<Record<string, string>>): Promise<unknown> {
  const { command, args, remove } = inOwnNetwork([process.execPath, script]);
  try {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
    let [out, errors] = ['', ''];
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (errors += chunk));
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    clearTimeout(timer);
    const last = out.trim().split('\n').at(-1) ?? '';
    if (code !== 0) throw new Error(`${script} ended with ${code}\n${out.slice(-2_000)}\n${errors.slice(-2_000)}`);
    return JSON.parse(last);
  } finally {
    remove();
  }
}
