import { mkdtempDisposable, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { CommandError, runCommand } from '../../../cli/lab/run-command.ts';
import { isRunning } from '../../support/processes.ts';

test('returns stdout alone, and logs the command with all that it printed', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'offpeak-test-'));
  const logFile = join(folder.path, 'log.txt');
  expect(await runCommand(['sh', '-c', 'echo out; echo err >&2'], { logFile })).toBe('out\n');
  const lines = (await readFile(logFile, 'utf8')).trim().split('\n');
  expect(lines[0]).toBe('$ sh -c echo out; echo err >&2');
  expect(lines.slice(1).sort()).toEqual(['err', 'out']);
});

test('gives the environment to the command', async () => {
  expect(await runCommand(['sh', '-c', 'echo "$GREETING"'], { env: { GREETING: 'a b' } })).toBe('a b\n');
});

test.each([
  { what: 'a status', command: ['sh', '-c', 'echo last words >&2; exit 3'], expected: /status 3:\nlast words$/ },
  { what: 'a command that does not exist', command: ['offpeak-no-such-command'], expected: /status 127/ },
  { what: 'a signal', command: ['sh', '-c', 'kill -KILL $$'], expected: /status 137/ },
])('rejects on $what', async ({ command, expected }) => {
  const result = runCommand(command);
  await expect(result).rejects.toThrow(CommandError);
  await expect(result).rejects.toThrow(expected);
});

test('shows only the last lines of a long output', async () => {
  const result = runCommand(['sh', '-c', 'i=0; while [ $i -lt 100 ]; do echo "line $i"; i=$((i+1)); done; exit 1']);
  await expect(result).rejects.toThrow(/status 1:\nline 88\n.*line 99$/s);
});

test('an abort ends the command and what it started, even what ignores SIGTERM', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'offpeak-test-'));
  const pidFile = join(folder.path, 'pid');
  const script = `sh -c 'trap "" TERM; echo $$ > "${pidFile}"; while :; do sleep 1; done' & wait`;
  const controller = new AbortController();
  const result = runCommand(['sh', '-c', script], { signal: controller.signal });
  const rejected = expect(result).rejects.toThrow('enough');
  const pid = await vi.waitFor(async () => {
    const text = await readFile(pidFile, 'utf8');
    expect(text).toMatch(/^\d+\n$/);
    return Number(text);
  });
  expect(isRunning(pid)).toBe(true);
  controller.abort(new Error('enough'));
  await rejected;
  await vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 60_000 });
});

test('does not start when it is aborted already', async () => {
  await expect(
    runCommand(['sh', '-c', 'exit 1'], { signal: AbortSignal.abort(new Error('too late')) }),
  ).rejects.toThrow('too late');
});
