import type { Lease } from '../domain/lease.ts';
import type { Settings } from '../domain/observation.ts';
import { settingsRead } from './setting-forms.ts';

/** What a person types on the server to restore these settings: one command a line, the switch first, so that defrag stops at once. */
export function restoreCommands(settings: Settings): string {
  return Object.entries(settings)
    .toSorted(([a], [b]) => Number(b === 'activedefrag') - Number(a === 'activedefrag'))
    .map(([name, value]) => `CONFIG SET ${name} ${value}`)
    .join('\n');
}

/**
 * The same for a lease that Offpeak cannot end by itself; empty where nothing was changed. The lease may be older than the check of what a
 * server prints: a person must not type what a setting cannot hold.
 */
export function manualCommands({ prior }: Pick<Lease, 'prior'>): string {
  return restoreCommands(settingsRead(prior).settings);
}
