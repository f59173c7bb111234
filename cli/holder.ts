import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** What a run from a terminal is called in leases, for the person who meets it there: `run on web-1, process 4711, since 2026-11-26T14:53:14Z (3f2a)`. */
export function holderName(command: string): string {
  const since = new Date().toISOString().replace(/\.\d+Z$/, 'Z');
  return `${command} on ${hostname()}, process ${process.pid}, since ${since} (${randomBytes(2).toString('hex')})`;
}
