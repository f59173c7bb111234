import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { expect, vi } from 'vitest';
import { aWorkplace, type OffpeakOptions } from './offpeak.ts';

/** A folder for one command: what is left in its temporary files, and what still runs with them, is that command's. */
export function aTracedPlace() {
  const place = aWorkplace();
  const inPlace: OffpeakOptions = { cwd: place.folder, env: { TMPDIR: place.folder } };
  const running = () => runningWith(`TMPDIR=${place.folder}`);
  // The shell that held the server's leash ends a moment after the command.
  const untilAlone = () => vi.waitFor(() => expect(running()).toEqual([]), 60_000);
  return {
    folder: place.folder,
    inPlace,
    running,
    untilAlone,
    /** The pid of a server whose folder is in this one. Redis writes its title over its environment, so that only its folder shows whose it is. */
    serverPid(): number {
      const found = pids().find((pid) => folderOf(pid).startsWith(`${place.folder}/offpeak-redis-`));
      if (found === undefined) throw new Error(`no server runs below ${place.folder}`);
      return found;
    },
    async expectNothingLeft() {
      await untilAlone();
      expect(readdirSync(place.folder)).toEqual([]);
    },
    [Symbol.dispose]: () => place[Symbol.dispose](),
  };
}

/** The commands of the processes in whose environment that stands; where there is no /proc, none is found. */
function runningWith(assignment: string): readonly string[] {
  return pids().flatMap((pid) => {
    try {
      const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      return variables.includes(assignment) ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8')] : [];
    } catch {
      // It has ended in between, or is another user's.
      return [];
    }
  });
}

function pids(): readonly number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function folderOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}
