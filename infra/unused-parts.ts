import { readFileSync } from 'node:fs';
import type { Loader, Plugin } from 'esbuild';
import { environmentsCredentials } from './unused-credentials.ts';

/** A module of a dependency that the job loads and never uses, and what is bundled in its place. */
interface Part {
  /** What brings it along: where this is in a bundle, the part has to be found. */
  readonly of: RegExp;
  readonly filter: RegExp;
  readonly loader: Loader;
  contents(path: string): string;
}

const IOREDIS = /ioredis[\\/]built[\\/]Redis\.js$/;
const DYNAMODB = /@aws-sdk[\\/]client-dynamodb[\\/]/;
const SDK_CLIENT = /@aws-sdk[\\/]client-[a-z-]+[\\/]/;

/** What ioredis itself calls by name, and what the job sends. Others can be sent all the same: they only lack a method. */
const COMMANDS = [
  ...['auth', 'client', 'exec', 'hello', 'info', 'multi', 'psubscribe', 'quit', 'readonly', 'select'],
  ...['ssubscribe', 'subscribe', 'config', 'latency', 'memory', 'ping'],
];

const FAILURE = 'throw new Error("left out of the bundle: see infra/unused-parts.ts");';

const absent = () => `exports.default = class { constructor() { ${FAILURE} } };`;

/** Without `himportFieldsets`, which the job does not set, these are all that ioredis asks of it, and what it answers. */
const withoutHimport = () => `
  exports.hasHimportCoordinator = Symbol('none');
  exports.cloneHimportFieldsets = exports.getHimportBinding = () => undefined;
  exports.interceptHimportPipeline = exports.isInternalHimportCommand = () => false;`;

/** For the endpoints that DynamoDB could tell of, if it were asked: there is one for each table. */
const mapAsCache = () =>
  'module.exports = class extends Map { constructor() { super(); } peek(key) { return this.get(key); } };';

/**
 * CommonJS is not tree-shaken, so all of ioredis comes along, and defines two methods for each of Redis' 301 commands when it
 * is loaded. Without all of these parts a start loads 128 KB less, and takes 60 ms instead of 82; the commands alone are 32 KB and
 * 14 ms of that (docs/adr/0006-esm-in-chunks.md says how it was measured).
 */
const PARTS: readonly Part[] = [
  {
    of: IOREDIS,
    filter: /[\\/]@ioredis[\\/]commands[\\/]built[\\/]commands\.json$/,
    loader: 'json',
    contents: onlyOurCommands,
  },
  { of: IOREDIS, filter: /[\\/]ioredis[\\/]built[\\/]cluster[\\/]index\.js$/, loader: 'js', contents: absent },
  {
    of: IOREDIS,
    filter: /[\\/]ioredis[\\/]built[\\/]connectors[\\/]SentinelConnector[\\/]index\.js$/,
    loader: 'js',
    contents: absent,
  },
  {
    of: IOREDIS,
    filter: /[\\/]ioredis[\\/]built[\\/]himport[\\/]HimportCoordinator\.js$/,
    loader: 'js',
    contents: withoutHimport,
  },
  // Certificates of one provider's, for those who ask for them by name.
  {
    of: IOREDIS,
    filter: /[\\/]ioredis[\\/]built[\\/]constants[\\/]TLSProfiles\.js$/,
    loader: 'js',
    contents: () => 'exports.default = {};',
  },
  // DEBUG=ioredis:* would write commands to the log, passwords included.
  {
    of: IOREDIS,
    filter: /[\\/]node_modules[\\/]debug[\\/]src[\\/]index\.js$/,
    loader: 'js',
    contents: () => 'exports.default = () => Object.assign(() => {}, { enabled: false });',
  },
  { of: DYNAMODB, filter: /[\\/]mnemonist[\\/]lru-cache\.js$/, loader: 'js', contents: mapAsCache },
  {
    of: SDK_CLIENT,
    filter: /[\\/]@aws-sdk[\\/]credential-provider-node[\\/]dist-es[\\/]defaultProvider\.js$/,
    loader: 'js',
    contents: environmentsCredentials,
  },
  // Asks a browser what it is, with 34 KB of bowser.
  {
    of: SDK_CLIENT,
    filter: /[\\/]util-user-agent-browser[\\/]createUserAgentStringParsingProvider\.js$/,
    loader: 'js',
    contents: () => `export const createUserAgentStringParsingProvider = () => { ${FAILURE} };`,
  },
  // For calls whose answers go on and on, of which the job makes none.
  {
    of: SDK_CLIENT,
    filter: /[\\/]@smithy[\\/]core[\\/]dist-es[\\/]submodules[\\/]event-streams[\\/]index\.js$/,
    loader: 'js',
    contents: () =>
      `export class EventStreamSerde { constructor() { ${FAILURE} } } export const eventStreamSerdeProvider = () => undefined;`,
  },
  // Its version is all that a client says of itself.
  {
    of: SDK_CLIENT,
    filter: /[\\/]@aws-sdk[\\/]client-[a-z-]+[\\/]package\.json$/,
    loader: 'json',
    contents: onlyItsVersion,
  },
];

function onlyItsVersion(path: string): string {
  const { version } = JSON.parse(readFileSync(path, 'utf8'));
  return JSON.stringify({ version });
}

function onlyOurCommands(path: string): string {
  const all = Object.entries<unknown>(JSON.parse(readFileSync(path, 'utf8')));
  return JSON.stringify(Object.fromEntries(all.filter(([name]) => COMMANDS.includes(name))));
}

/** Fails the build when a part is not where it was: a new version of what has it would bring it back unnoticed. */
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
      const bundled = Object.keys(metafile?.inputs ?? {});
      const missing = [...left].filter(({ of }) => bundled.some((path) => of.test(path)));
      if (errors.length > 0) return undefined;
      return { errors: missing.map(({ filter }) => ({ text: `infra/unused-parts.ts: nothing matches ${filter}` })) };
    });
  },
};
