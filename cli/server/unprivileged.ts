import { chown, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FindOptions } from './binary.ts';
import type { WorkFolder } from './cache.ts';
import { leash } from './leash.ts';
import { runCommand } from './run-command.ts';

/** Who runs a command in our place. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** Where something is built, and by whom. */
export interface BuildPlace extends AsyncDisposable {
  readonly path: string;
  /** Undefined: by ourselves. */
  readonly user: User | undefined;
}

/** `nobody`, by the number that it has on every Linux: who owns nothing can spoil nothing. */
const NOBODY: User = { uid: 65534, gid: 65534 };

/** A mount without `exec` takes the file and refuses to run it. */
const PROBE = `cd "$1" && printf '#!/bin/sh\\nexit 0\\n' >probe && chmod 700 probe && ./probe && rm probe`;

/**
 * A folder to build in. As root it is one of `nobody`'s below the temporary folder (root's cache is closed to others), removed when it is
 * disposed or when this process dies; whoever is not root builds in the work folder, as does root where `nobody` cannot, which is said.
 */
export async function openBuildPlace(work: WorkFolder, { log, signal }: FindOptions): Promise<BuildPlace> {
  const own: BuildPlace = { path: work.path, user: undefined, [Symbol.asyncDispose]: async () => {} };
  if (process.getuid?.() !== 0) return own;
  const path = await mkdtemp(join(tmpdir(), 'offpeak-build-'));
  const held = leash(['sleep', 'infinity'], { scratch: path });
  try {
    await chown(path, NOBODY.uid, NOBODY.gid);
    await runCommand(['sh', '-c', PROBE, 'sh', path], { user: NOBODY, signal });
    return { path, user: NOBODY, [Symbol.asyncDispose]: () => held.release() };
  } catch (error) {
    await held.release();
    signal?.throwIfAborted();
    const why = error instanceof Error ? error.message : String(error);
    log(`  building as root: the user nobody cannot build below ${tmpdir()} (${why.replaceAll('\n', ' ')})`);
    return own;
  }
}
