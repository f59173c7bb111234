import { type Cluster, MemoryDBClient, paginateDescribeClusters } from '@aws-sdk/client-memorydb';
import { askedOnce, everyPage, settingsFor } from './asking.ts';

/** What MemoryDB says of all its clusters in one region, with their shards and nodes. It names no role. */
interface MemoryDbView {
  readonly region: string;
  readonly clusters: readonly Cluster[];
}

/** The most that AWS returns at once. */
const PAGE = 100;

/** One call, of as many pages as it takes. @throws {DiscoveryFailure} */
export const describeMemoryDb = askedOnce(async (named, signal): Promise<MemoryDbView> => {
  const client = new MemoryDBClient(settingsFor('MEMORYDB', named));
  const pages = paginateDescribeClusters(
    { client, pageSize: PAGE },
    { ShowShardDetails: true },
    { abortSignal: signal },
  );
  const found = await everyPage(pages, { service: 'MemoryDB', right: 'memorydb:DescribeClusters' }, signal);
  return { region: await client.config.region(), clusters: found.flatMap(({ Clusters = [] }) => Clusters) };
});
