import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createFileStore } from '../../core/state/file/file-store.ts';
import { leaseKey, quarantineKey } from '../../core/state/keys.ts';
import { leaseLines } from '../../infra/remove.ts';
import { aLease } from '../support/builders.ts';

const UNTIL = Date.UTC(2026, 10, 27, 3, 30);

test.each<readonly [what: string, documents: Readonly<Record<string, unknown>>, lines: readonly (string | RegExp)[]]>([
  ['nothing', {}, []],
  ['what was learned, and pauses', { 'node#a#b:1': { anything: 1 }, 'pause#*': { anything: 1 } }, []],
  [
    'a lease that runs',
    { [leaseKey('sessions')]: aLease({ expiresAt: UNTIL }) },
    [/^sessions .+:6379: held until Fri 2026-11-27 03:30 UTC$/],
  ],
  [
    'a quarantined one: its server may come back with our settings on',
    { [quarantineKey(aLease())]: aLease({ expiresAt: UNTIL, status: 'quarantined' }) },
    [/^sessions .+: held until/],
  ],
  ['one that cannot be read', { [leaseKey('sessions')]: { by: 'a later version' } }, [/^the document lease#sessions/]],
])('F18: what keeps a stack from being removed: %s', async (_, documents, lines) => {
  const folder = mkdtempSync(join(tmpdir(), 'offpeak-remove-'));
  try {
    const store = createFileStore(join(folder, 'state.db'));
    for (const [key, value] of Object.entries(documents)) await store.write(key, value, undefined);
    expect(await leaseLines(store)).toEqual(lines.map((line) => expect.stringMatching(line)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
