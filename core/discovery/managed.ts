import { isDenied } from '../adapters/aws/asking.ts';
import { type Tagged, taggedResources } from '../adapters/aws/tagged.ts';
import type { ManagedService } from '../config/iam.ts';
import type { Discovered, FoundShard } from '../domain/discovered.ts';
import { DiscoveryFailure } from '../ports/discovery.ts';
import { readTags } from './tags.ts';

// Which groups of a managed service an instance of the config means, and what their tags say.

/** What the config asks for: all of `tags`, and one of `groups` where there are any. */
interface Wanted {
  readonly tags?: Readonly<Record<string, readonly string[]>>;
  readonly groups?: readonly string[];
}

/** A replication group, a cluster of its own, or what is seen and not maintained. */
export interface Resource {
  readonly id: string;
  readonly arn: string;
  readonly shards: readonly FoundShard[];
  readonly leftOut: readonly string[];
}

/**
 * The tags of what may be wanted. A sentence where they may not be read and only ids choose.
 * @throws {DiscoveryFailure} where tags choose
 */
export async function readableTags(
  service: ManagedService,
  { tags }: Wanted,
  terms: Parameters<typeof taggedResources>[2],
): Promise<Tagged | string> {
  try {
    return await taggedResources(service, tags, terms);
  } catch (error) {
    if (tags === undefined && error instanceof DiscoveryFailure && isDenied(error)) return error.message;
    throw error;
  }
}

/** @param tagged in place of the tags: why they cannot be read */
export function choose(resources: readonly Resource[], tagged: Tagged | string, wanted: Wanted): Discovered {
  const chosen = resources.filter(({ id, arn }) =>
    isWanted(id, typeof tagged === 'string' ? {} : tagged.get(arn), wanted),
  );
  const found = chosen.map((one) => withTags(one, tagged, wanted));
  const unread =
    typeof tagged === 'string' && chosen.length > 0
      ? [`everything is only watched, because a tag may forbid to act: ${tagged}`]
      : [];
  return {
    shards: found.flatMap(({ shards }) => shards),
    leftOut: [...unread, ...found.flatMap(({ leftOut }) => leftOut), ...missing(resources, chosen, wanted)],
  };
}

function isWanted(id: string, tags: Readonly<Record<string, string>> = {}, wanted: Wanted): boolean {
  const hasTags = Object.entries(wanted.tags ?? {}).every(([key, values]) =>
    values.some((value) => tags[key] === value),
  );
  return hasTags && (wanted.groups === undefined || wanted.groups.some((pattern) => patternOf(pattern).test(id)));
}

/** AWS keeps ids in lower case, and takes them in any. */
function patternOf(pattern: string): RegExp {
  return new RegExp(`^${pattern.replaceAll('?', '.').replaceAll('*', '.*')}$`, 'i');
}

function withTags({ id, arn, shards, leftOut }: Resource, tagged: Tagged | string, { tags }: Wanted): Discovered {
  if (typeof tagged === 'string')
    return { shards: shards.map((one) => ({ ...one, overrides: { acts: false } })), leftOut };
  const { isIgnored, overrides, odd } = readTags(tagged.get(arn) ?? {}, Object.keys(tags ?? {}));
  if (isIgnored) return { shards: [], leftOut: [`${id} is left out by its tag offpeak:ignore`] };
  return {
    shards: shards.map((one) => ({ ...one, overrides })),
    leftOut: [...leftOut, ...odd.map((what) => `${id} is only watched: ${what}`)],
  };
}

/**
 * That nothing fits is an answer, and not a failure: a person who takes the tag off the last group wants it left alone. An id without wildcards
 * that there is not is a mistake, or a cache that was deleted.
 */
function missing(
  resources: readonly Resource[],
  chosen: readonly Resource[],
  { tags, groups = [] }: Wanted,
): readonly string[] {
  const where = 'in this account and region';
  const absent = groups
    .filter((pattern) => !/[*?]/.test(pattern) && !resources.some(({ id }) => patternOf(pattern).test(id)))
    .map((id) => `there is no group or cluster ${id} ${where}`);
  if (chosen.length > 0 || absent.length > 0) return absent;
  return [`nothing was found: no group or cluster ${where} has ${tags === undefined ? 'such an id' : 'these tags'}`];
}

/** In one sentence, which one discovery of many new nodes can bear. */
export function unready(id: string, nodes: readonly string[]): readonly string[] {
  return nodes.length === 0 ? [] : [`${id}: left out until they have an endpoint: ${nodes.join(', ')}`];
}
