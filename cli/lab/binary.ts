/** Where a server binary came from, in the order in which it is looked for. */
type ServerSource = 'env' | 'cache' | 'path' | 'npm' | 'built' | 'debian';

/** A redis-server (or valkey-server) that was seen to start on this machine. */
export interface ServerBinary {
  readonly kind: 'found';
  /** Absolute path of the executable. */
  readonly path: string;
  /** Environment that it needs on top of this process': `LD_LIBRARY_PATH` for an extracted Debian package, else nothing. */
  readonly env: Readonly<Record<string, string>>;
  /** As it says itself in `--version`: `7.0.15`. */
  readonly version: string;
  readonly source: ServerSource;
}

/** What is needed to run it. */
export type Executable = Pick<ServerBinary, 'path' | 'env'>;

/** No server of the wanted kind can be had here. An expected outcome on machines without apt: not an error. */
export interface ServerMissing {
  readonly kind: 'missing';
  /** One line for each way that was tried, and why it failed. */
  readonly reason: string;
  /** What the reader can install or set, in one sentence. */
  readonly install: string;
}

export interface FindOptions {
  /** Progress, one line at a time: the first search on a machine can take a minute. */
  readonly log: (line: string) => void;
  /** Stops the search, its child processes included; the search then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** `REDIS_SERVER` names a server that cannot be used. Thrown, because going on silently would ignore a clear wish. */
export class RedisServerSettingError extends Error {
  override readonly name = 'RedisServerSettingError';

  /** @param problem what is wrong with it, as the end of "REDIS_SERVER=<path> …" */
  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(
      `REDIS_SERVER=${path} ${problem}; accepted: the path of a redis-server or valkey-server executable ` +
        'that accepts CONFIG SET activedefrag yes (or unset it, and one is looked for)',
      options,
    );
  }
}
