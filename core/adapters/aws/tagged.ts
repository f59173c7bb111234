import { paginateGetResources, ResourceGroupsTaggingAPIClient } from '@aws-sdk/client-resource-groups-tagging-api';
import type { ManagedService } from '../../config/iam.ts';
import { everyPage, settingsFor } from './asking.ts';

/** The tags of resources, by their ARNs. */
export type Tagged = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** The most that AWS returns at once. */
const PAGE = 100;

/**
 * Everything of one service that has all of `tags`, with all its tags; without `tags`, everything that has any. The type of a resource is in its
 * ARN. @throws {DiscoveryFailure}
 */
export async function taggedResources(
  service: ManagedService,
  tags: Readonly<Record<string, readonly string[]>> | undefined,
  { region, signal }: { readonly region: string | undefined; readonly signal: AbortSignal | undefined },
): Promise<Tagged> {
  const client = new ResourceGroupsTaggingAPIClient(settingsFor('RESOURCE_GROUPS_TAGGING_API', region));
  const TagFilters = Object.entries(tags ?? {}).map(([Key, values]) => ({ Key, Values: [...values] }));
  const pages = paginateGetResources(
    { client, pageSize: PAGE },
    { ResourceTypeFilters: [service], ...(TagFilters.length > 0 && { TagFilters }) },
    { abortSignal: signal },
  );
  const found = await everyPage(pages, { service: 'The tagging API', right: 'tag:GetResources' }, signal);
  return new Map(
    found
      .flatMap(({ ResourceTagMappingList = [] }) => ResourceTagMappingList)
      .map(({ ResourceARN = '', Tags = [] }) => [
        ResourceARN,
        Object.fromEntries(Tags.map(({ Key = '', Value = '' }) => [Key, Value])),
      ]),
  );
}
