import { statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import type { Bytes } from '../../../core/config/units.ts';
import { MIB } from '../../../core/config/units.ts';
import { bytesText } from '../../../core/format/units.ts';
import { LabProblem } from './result.ts';

/** For this process, and for what else runs on the machine. */
const RESERVE = 384 * MIB;

export interface Task {
  /** Bytes at its peak. */
  readonly peak: Bytes;
}

/** Tasks that fit into the memory beside one another, in the order given: each wave begins when the one before has ended. */
export function waves<T extends Task>(tasks: readonly T[], room: Bytes): readonly (readonly T[])[] {
  const all: { left: Bytes; tasks: T[] }[] = [];
  for (const task of tasks) {
    const open = all.find(({ left }) => left >= task.peak);
    if (open) {
      open.tasks.push(task);
      open.left -= task.peak;
    } else all.push({ left: room - task.peak, tasks: [task] });
  }
  return all.map(({ tasks }) => tasks);
}

/**
 * What servers may take here together: by the machine and by the container around this process.
 *
 * @throws LabProblem when the largest task does not fit, or its snapshot not on the disk
 */
export async function roomFor(tasks: readonly Task[], scale: number): Promise<Bytes> {
  const most = Math.max(0, ...tasks.map(({ peak }) => peak));
  const room = process.availableMemory() - RESERVE;
  if (room < most)
    throw new LabProblem(shortText('memory', most, process.availableMemory(), fitting(scale, room / most)));
  const { bavail, bsize } = await statfs(tmpdir());
  // The values compress to next to nothing; half of the peak is for servers that do not compress.
  const disk = most / 2;
  if (bavail * bsize < disk) {
    throw new LabProblem(shortText(`disk below ${tmpdir()}`, disk, bavail * bsize, 'free some, or set TMPDIR'));
  }
  return room;
}

function shortText(what: string, needed: Bytes, free: Bytes, remedy: string): string {
  return `this takes ${bytesText(needed)} of ${what}, and ${bytesText(free)} are free: ${remedy}`;
}

/** Rounded down to one digit that still fits. */
function fitting(scale: number, share: number): string {
  const most = scale * share * 0.95;
  if (!(most >= 0.01)) return 'end other programs, or use a larger machine';
  const digit = 10 ** Math.floor(Math.log10(most));
  return `--scale ${Number((Math.floor(most / digit) * digit).toPrecision(1))} fits`;
}
