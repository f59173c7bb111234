import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';

/** How long a command may take to end by SIGTERM before it is killed (a SIGSTOPped one never does). */
const GRACE_MS = 2_000;

/**
 * Runs the command as the shell's own child and kills it when the shell's stdin ends, which the kernel does
 * however this process dies, `kill -9` included. The shell, not Node, is the parent: between a spawn by Node and a
 * second spawn of a watchdog, a kill would leave the command alone, and a pid that is remembered may be another
 * process' by the time of the kill. `setsid` gives the command a group of its own, so that make's compilers go with it.
 */
const LEASH_SCRIPT = `
scratch=$1 polls=$2; shift 2
command -v setsid >/dev/null 2>&1 && set -- setsid "$@"
exec 4<&0
"$@" </dev/null 3>&- 4<&- &
child=$!
# A parent that is gone by now must not end this shell before its watchdog has begun.
trap "" PIPE
echo "$child" >&3
exec 3>&- >/dev/null 2>&1
signal() { kill "-$1" "-$child" || kill "-$1" "$child"; }
(
  read -r _ <&4
  signal TERM
  while [ "$polls" -gt 0 ] && kill -0 "$child"; do sleep 0.1; polls=$((polls - 1)); done
  signal KILL
) &
watcher=$!
wait "$child"; status=$?
kill "$watcher"
kill -KILL "-$child"
tries=50
while [ -n "$scratch" ] && [ "$tries" -gt 0 ] && ! rm -rf -- "$scratch"; do sleep 0.1; tries=$((tries - 1)); done
exit "$status"
`;

export interface LeashOptions {
  readonly cwd?: string;
  /** Added to this process' environment, for the command alone (an LD_LIBRARY_PATH must not reach the shell). */
  readonly env?: Readonly<Record<string, string>>;
  /** A folder that is removed once the command has ended, however it ended. */
  readonly scratch?: string;
  /** Who runs it, the shell included; only root may ask for another. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** File descriptor for the command's stdout and stderr; without it, both are pipes. */
  readonly output?: number;
}

/** A command that cannot outlive this process. */
export interface Leashed {
  /** The shell that holds the leash; `stdout` and `stderr` are the command's. */
  readonly shell: ChildProcess;
  /** The command's own pid; undefined when the shell itself could not be started. */
  readonly pid: Promise<number | undefined>;
  /** The command's exit status as a shell reports it (128 + n after signal n), when all of it has ended. */
  readonly ended: Promise<number>;
  /** Ends the command (SIGTERM, after two seconds SIGKILL) and waits until it, and its scratch folder, are gone. */
  release(): Promise<void>;
  /** Lets this process end while the command runs; the command then ends with it. */
  unref(): void;
}

/** Starts `command` so that it dies with this process: normally, by a signal, or by `kill -9`. */
export function leash(command: readonly string[], options: LeashOptions = {}): Leashed {
  const output = options.output ?? 'pipe';
  const assignments = Object.entries(options.env ?? {}).map(([name, value]) => `${name}=${value}`);
  const wrapped = assignments.length > 0 ? ['env', ...assignments, ...command] : command;
  const shell = spawn(
    'sh',
    ['-c', LEASH_SCRIPT, 'offpeak-leash', options.scratch ?? '', `${GRACE_MS / 100}`, ...wrapped],
    // Detached: Ctrl-C reaches this process alone, and what it holds then ends in order instead of the leash dying first.
    { cwd: options.cwd, detached: true, stdio: ['pipe', output, output, 'pipe'], ...options.user },
  );
  // No code: the shell itself was killed from outside.
  const ended = once(shell, 'exit').then(([code]: (number | null)[]) => code ?? 137);
  const rope = shell.stdin as Writable;
  // The shell may be gone before its stdin is closed; that is not an error.
  rope.on('error', () => {});
  return {
    shell,
    pid: text(shell.stdio[3] as Readable).then((line) => Number.parseInt(line, 10) || undefined),
    ended,
    release: async () => {
      shell.ref();
      rope.end();
      await ended.catch(() => {});
    },
    unref: () => {
      shell.unref();
      (rope as Writable & { unref(): void }).unref();
    },
  };
}

/** A folder that is removed when it is disposed, or when this process dies. */
export interface ScratchFolder extends AsyncDisposable {
  readonly path: string;
}

/** `prefix`: the beginning of its path. */
export async function scratchFolder(prefix: string): Promise<ScratchFolder> {
  const path = await mkdtemp(prefix);
  const held = leash(['sleep', 'infinity'], { scratch: path });
  return { path, [Symbol.asyncDispose]: () => held.release() };
}
