import type { ArticleOptions } from '../article.ts';

/** What is done to a fragmented server, in the order of the table. */
export const ARMS = {
  nothing: 'nothing',
  purge: 'MEMORY PURGE',
  defaults: 'activedefrag yes, its defaults',
  offpeak: 'Offpeak, its default policy',
  restart: 'a restart',
  'thread-off': 'background thread off',
  'thread-off-purge': 'background thread off, a purge',
  decay: 'decay within 1 s',
  uniform: 'padded to powers of two',
  'by-size': 'small and large values apart',
} as const;

export type ArmName = keyof typeof ARMS;

export const ARM_NAMES = Object.keys(ARMS) as readonly ArmName[];

/** How servers are fragmented. */
export const RECIPE_NAMES = ['article', 'compaction', 'sizes', 'hashes', 'churn'] as const;
export type RecipeName = (typeof RECIPE_NAMES)[number];

/** How the article's values are stored, where an arm stores them otherwise. */
export type Storage = Pick<ArticleOptions, 'sizes' | 'isPadded'>;

/** Servers with the same settings, and the arms that follow one another there. */
export interface Site {
  readonly name: 'as-is' | 'offpeak' | 'thread-off' | 'decay' | 'uniform' | 'by-size';
  readonly arms: readonly ArmName[];
  /** One server for each. */
  readonly storages: readonly Storage[];
  /** redis-server arguments. */
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** The article's line, without the thread, which Redis switches by its own setting. */
export const DECAY = 'dirty_decay_ms:1000,muzzy_decay_ms:1000';

const PLAIN = { storages: [{}], args: [], env: {} };

/** Offpeak first: it takes longest, and actions take turns. Nothing, a purge and SAVE move no data: what follows them finds the layout as it was. */
const SITES: readonly Site[] = [
  { name: 'offpeak', arms: ['offpeak'], ...PLAIN },
  { name: 'as-is', arms: ['nothing', 'purge', 'restart', 'defaults'], ...PLAIN },
  {
    ...PLAIN,
    name: 'thread-off',
    arms: ['thread-off', 'thread-off-purge'],
    args: ['--jemalloc-bg-thread', 'no'],
  },
  // The jemalloc that Redis bundles reads the first, that of a distribution the second.
  { ...PLAIN, name: 'decay', arms: ['decay'], env: { JE_MALLOC_CONF: DECAY, MALLOC_CONF: DECAY } },
  { ...PLAIN, name: 'uniform', arms: ['uniform'], storages: [{ isPadded: true }] },
  { ...PLAIN, name: 'by-size', arms: ['by-size'], storages: [{ sizes: [0, 1024] }, { sizes: [1024, 1_000_000] }] },
];

/** Arms that store the values of the article in another way. */
export const OF_THE_ARTICLE: readonly ArmName[] = ['uniform', 'by-size'];

/** Arms that this version cannot have: `jemalloc-bg-thread` came with Redis 6.0. */
export function lackingIn(version: string): readonly ArmName[] {
  return Number.parseInt(version, 10) < 6 ? ['thread-off', 'thread-off-purge'] : [];
}

/** The servers that the arms need. `nothing` is always one: the others are compared with it. */
export function sitesFor(arms: readonly ArmName[], version: string): readonly Site[] {
  const lacking = lackingIn(version);
  const isChosen = (arm: ArmName) => arm === 'nothing' || (arms.includes(arm) && !lacking.includes(arm));
  return SITES.map((site) => ({ ...site, arms: site.arms.filter(isChosen) })).filter(({ arms }) => arms.length > 0);
}
