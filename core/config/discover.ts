import * as z from 'zod/mini';
import { nodeAddress, secretReference } from './address.ts';
import { described, mapping, optional, scalar, text } from './scalar.ts';

// How the nodes of an instance are found at run time, where the config does not name them.

const listOfSeeds = 'a list of 1 to 16 addresses';
const addresses = z
  .array(nodeAddress(), { error: listOfSeeds })
  .check(z.minLength(1, { error: listOfSeeds }), z.maxLength(16, { error: listOfSeeds }));

/** `host:port`, an IPv6 host in brackets. */
const place = '(\\[[0-9a-fA-F:.]+\\]|[A-Za-z0-9_][A-Za-z0-9._-]{0,252}):[0-9]{1,5}';
const listOfPlaces = 'a mapping of at most 1,000 addresses, like "10.0.0.1:6379": redis-1.example.org:7001';

/** `10.0.0.1:6379` to `redis.example.org:7001`. */
const natMap = scalar<Readonly<Record<string, string>>>({
  accepted: listOfPlaces,
  json: {
    type: 'object',
    maxProperties: 1000,
    propertyNames: { pattern: `^${place}$` },
    additionalProperties: { type: 'string', pattern: `^${place}$` },
  },
  read(raw) {
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return { refused: 'is not a mapping' };
    const entries = Object.entries(raw);
    const isPlace = (one: unknown) => typeof one === 'string' && new RegExp(`^${place}$`).test(one);
    const odd = entries.find(([from, to]) => !isPlace(from) || !isPlace(to));
    if (odd) return { refused: 'has an entry that is not from host:port to host:port' };
    return entries.length > 1000 ? { refused: 'has more than 1,000 entries' } : { value: Object.fromEntries(entries) };
  },
});

const cluster = mapping({
  seeds: described(addresses, 'Some of its nodes, 1 to 16: each that answers is asked for the others.'),
  natMap: optional(natMap, 'Where a node is reached, by the address that the cluster says, as ioredis has it.'),
});

/** The word that Sentinel takes for the name of a primary. */
const sentinelName = text('^[^\\s\\u0000-\\u001f\\u007f]{1,128}$', 'the name of the primary, as the sentinels have it');

const sentinel = mapping({
  name: described(sentinelName, 'The name of the primary, as the sentinels have it.'),
  sentinels: described(addresses, 'The sentinels, 1 to 16: the first that answers counts.'),
  credentials: optional(
    mapping({
      username: optional(
        text('^[^\\s\\u0000-\\u001f\\u007f]{1,128}$', 'a user name as plain text, without spaces; not a reference'),
        'ACL user of the sentinels.',
      ),
      password: optional(secretReference(), 'Reference to the password of the sentinels.'),
    }),
    'How to sign in to the sentinels; the data nodes have their own.',
  ),
  natMap: optional(natMap, 'Where a node is reached, by the address that the sentinels say.'),
});

const pattern = text(
  '^[A-Za-z0-9*?-]{1,64}$',
  'an id of a replication group or cluster, with * and ? as wildcards, like sessions-*',
);
const listOfPatterns = 'a list of 1 to 50 ids, with * and ? as wildcards';
const groups = z
  .array(pattern, { error: listOfPatterns })
  .check(z.minLength(1, { error: listOfPatterns }), z.maxLength(50, { error: listOfPatterns }));

const TAG_KEY = '^[A-Za-z0-9 _.:/=+@-]{1,128}$';
const listOfTags = 'a mapping of 1 to 20 tags, like offpeak: "on", each with a value or a list of 1 to 20 values';

/** Each tag with the values that are accepted; all tags must fit. */
const tags = scalar<Readonly<Record<string, readonly string[]>>>({
  accepted: listOfTags,
  json: {
    type: 'object',
    minProperties: 1,
    maxProperties: 20,
    propertyNames: { pattern: TAG_KEY },
    additionalProperties: {
      anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, minItems: 1, maxItems: 20 }],
    },
  },
  read(raw) {
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return { refused: 'is not a mapping of tags' };
    const entries = Object.entries(raw).map(([key, value]) => [key, Array.isArray(value) ? value : [value]] as const);
    if (entries.length === 0 || entries.length > 20) return { refused: 'has no tags, or more than 20' };
    const odd = entries.find(
      ([key, values]) =>
        !new RegExp(TAG_KEY).test(key) ||
        values.length === 0 ||
        values.length > 20 ||
        values.some((value) => typeof value !== 'string' || value.length > 256),
    );
    if (odd) return { refused: 'has a tag whose value is not text (quote on, off, yes, no and numbers)' };
    return { value: Object.fromEntries(entries) };
  },
});

const region = text('^[a-z]{2}(-[a-z]+)+-[0-9]$', 'a region, like eu-central-1');

const managed = (what: string) =>
  mapping({
    tags: optional(tags, `Only ${what} with all of these tags.`),
    groups: optional(groups, `Only ${what} with one of these ids; * and ? are wildcards.`),
    region: optional(region, "Region of the API; without it, the job's own."),
  });

/** Exactly one of its keys. */
export const discover = mapping({
  cluster: optional(cluster, 'A Redis or Valkey Cluster, by some of its nodes.'),
  sentinel: optional(sentinel, 'A primary and its replicas, by their sentinels.'),
  elasticache: optional(managed('replication groups and clusters'), 'ElastiCache, by tags or ids.'),
  memorydb: optional(managed('clusters'), 'MemoryDB, by tags or ids.'),
});

/** The ways in which nodes are found. */
export const DISCOVERIES = ['cluster', 'sentinel', 'elasticache', 'memorydb'] as const;
