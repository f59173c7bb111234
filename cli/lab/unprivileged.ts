import { chown, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageText } from '../../core/format/error-text.ts';
import type { FindOptions } from './binary.ts';
import type { WorkFolder } from './cache.ts';
import { leash } from './leash.ts';
import { runCommand } from './run-command.ts';

/** The user who runs a command in place of this one. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

/** Where something is built, and by whom. */
export interface BuildPlace extends AsyncDisposable {
  readonly path: string;
  /** Undefined: this process' own. */
  readonly user: User | undefined;
}

/** The user `nobody`, by the number that Debian and most systems give it: it owns no files. */
const UNPRIVILEGED: User = { uid: 65534, gid: 65534 };

/** A mount without `exec` takes the file and refuses to run it. */
const PROBE = `cd "$1" && printf '#!/bin/sh\\nexit 0\\n' >probe && chmod 700 probe && ./probe && rm probe`;

/**
 * A folder to build in. Started as root, this makes one below the temporary folder that belongs to the user `nobody`, who cannot enter root's
 * cache; it goes when it is disposed or when this process dies. Started by another user, or where `nobody` cannot build (which is logged), it
 * is the work folder.
 */
export async function openBuildPlace(work: WorkFolder, { log, signal }: FindOptions): Promise<BuildPlace> {
  const own: BuildPlace = { path: work.path, user: undefined, [Symbol.asyncDispose]: async () => {} };
  if (process.getuid?.() !== 0) return own;
  const path = await mkdtemp(join(tmpdir(), 'offpeak-build-'));
  const held = leash(['sleep', 'infinity'], { scratch: path });
  try {
    await chown(path, UNPRIVILEGED.uid, UNPRIVILEGED.gid);
    await runCommand(['sh', '-c', PROBE, 'sh', path], { user: UNPRIVILEGED, signal });
    return { path, user: UNPRIVILEGED, [Symbol.asyncDispose]: () => held.release() };
  } catch (error) {
    await held.release();
    signal?.throwIfAborted();
    const why = messageText(error).replaceAll('\n', ' ');
    log(`  building as root: the user nobody cannot build below ${tmpdir()} (${why})`);
    return own;
  }
}
