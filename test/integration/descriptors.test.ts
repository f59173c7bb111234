import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Found } from '../support/fleet/few-descriptors.ts';
import { kindOf, startFleetProcess } from '../support/fleet/process.ts';

const SCRIPT = join(import.meta.dirname, '../support/fleet/few-descriptors.ts');
const NODES = 1_500;

/** As many as Lambda gives. */
const LIMITED = 'ulimit -n 1024 && exec "$0" "$@"';

describe('F6: more nodes than a function has file descriptors', () => {
  test('are all seen in one function, with at most 128 connections at once, and those that are down hide none', async () => {
    await using fleet = await startFleetProcess('mixed');
    const args = ['-c', LIMITED, process.execPath, SCRIPT, String(NODES), JSON.stringify(fleet.ports)];
    const { stdout } = await promisify(execFile)('sh', args, { timeout: 580_000, maxBuffer: 1e8 });
    const { kinds, published, problems, open }: Found = JSON.parse(stdout);
    const down = Array.from({ length: NODES }, (_, n) => kindOf('mixed', n)).filter((kind) =>
      ['silent', 'refusing'].includes(kind),
    ).length;
    for (const { observed = 0, unreachable = 0 } of kinds) expect(observed + unreachable).toBe(NODES);
    // Without a descriptor, a node fails otherwise than by a refusal or its time.
    expect(problems.toSorted()).toEqual(['timeout', 'unreachable ECONNREFUSED']);
    expect(published).toBe(NODES - down);
    expect(open).toBeLessThan(100);
    // A server notices a little later than the job that a connection is closed.
    expect((await fleet.counts()).peak).toBeLessThan(256);
  }, 600_000);
});
