import { readFileSync } from 'node:fs';
import type { Loader, Plugin } from 'esbuild';

/** A module of a dependency that the job loads and never uses, and what is bundled in its place. */
interface Part {
  readonly filter: RegExp;
  readonly loader: Loader;
  contents(path: string): string;
}

/** What ioredis itself calls by name, and what the job sends. Others can be sent all the same: they only lack a method. */
const COMMANDS = [
  ...['auth', 'client', 'exec', 'hello', 'info', 'multi', 'psubscribe', 'quit', 'readonly', 'select'],
  ...['ssubscribe', 'subscribe', 'config', 'latency', 'memory', 'ping'],
];

const absent = () =>
  'exports.default = class { constructor() { throw new Error("left out of the bundle: see infra/unused-parts.ts"); } };';

/**
 * CommonJS is not tree-shaken, so all of ioredis comes along, and defines two methods for each of Redis' 301 commands when it
 * is loaded. Without these, the entry has 574 KB instead of 666, and its import takes 75 ms instead of 96; the commands alone
 * are 32 KB and 20 ms of that (medians of 15 runs).
 */
const PARTS: readonly Part[] = [
  { filter: /[\\/]@ioredis[\\/]commands[\\/]built[\\/]commands\.json$/, loader: 'json', contents: onlyOurCommands },
  { filter: /[\\/]ioredis[\\/]built[\\/]cluster[\\/]index\.js$/, loader: 'js', contents: absent },
  {
    filter: /[\\/]ioredis[\\/]built[\\/]connectors[\\/]SentinelConnector[\\/]index\.js$/,
    loader: 'js',
    contents: absent,
  },
  // Certificates of one provider's, for those who ask for them by name.
  {
    filter: /[\\/]ioredis[\\/]built[\\/]constants[\\/]TLSProfiles\.js$/,
    loader: 'js',
    contents: () => 'exports.default = {};',
  },
  // DEBUG=ioredis:* would write commands to the log, passwords included.
  {
    filter: /[\\/]node_modules[\\/]debug[\\/]src[\\/]index\.js$/,
    loader: 'js',
    contents: () => 'exports.default = () => Object.assign(() => {}, { enabled: false });',
  },
];

function onlyOurCommands(path: string): string {
  const all = Object.entries<unknown>(JSON.parse(readFileSync(path, 'utf8')));
  return JSON.stringify(Object.fromEntries(all.filter(([name]) => COMMANDS.includes(name))));
}

/** Fails the build when a part is not where it was: a new ioredis would bring it back unnoticed. */
export const withoutUnusedParts: Plugin = {
  name: 'without-unused-parts',
  setup(bundler) {
    const left = new Set(PARTS);
    for (const part of PARTS) {
      bundler.onLoad({ filter: part.filter }, ({ path }) => {
        left.delete(part);
        return { contents: part.contents(path), loader: part.loader };
      });
    }
    bundler.onEnd(({ metafile, errors }) => {
      const hasRedis = Object.keys(metafile?.inputs ?? {}).some((path) => path.endsWith('ioredis/built/Redis.js'));
      if (!hasRedis || errors.length > 0) return undefined;
      return { errors: [...left].map(({ filter }) => ({ text: `infra/unused-parts.ts: nothing matches ${filter}` })) };
    });
  },
};
