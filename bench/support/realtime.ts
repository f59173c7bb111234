import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const CHRT = ['chrt', '--fifo', '1'] as const;
let isAllowed: Promise<boolean> | undefined;

/**
 * The command ahead of all others on the machine, where that is allowed (Linux, root): what measures or disturbs a server does not live on
 * its cores elsewhere, and a late prober would count its own waits. Niceness would not do: each session has a share of its own.
 */
export async function realtime(command: readonly [string, ...string[]]): Promise<readonly [string, ...string[]]> {
  const [chrt, ...args] = CHRT;
  isAllowed ??= promisify(execFile)(chrt, [...args, 'true']).then(
    () => true,
    () => false,
  );
  return (await isAllowed) ? [...CHRT, ...command] : command;
}
