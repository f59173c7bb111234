import { type DynamoDBClient, paginateListTables } from '@aws-sdk/client-dynamodb';
import { createDynamoClient } from '../core/adapters/aws/clients.ts';
import { errorText } from '../core/format/error-text.ts';
import { timeText } from '../core/format/units.ts';
import { leasesIn, leasesOf } from '../core/leases/lease-store.ts';
import { readGroupLeases } from '../core/managed/lease.ts';
import type { StateStore } from '../core/ports/state-store.ts';
import { createDynamoStore } from '../core/state/dynamodb/store.ts';
import { LEASE } from '../core/state/keys.ts';
import { ID, stackName } from './names.ts';

/** The leases in the tables of a stage whose stack is about to be removed. */
export type Removal =
  /** The tables hold no lease; there are no tables where the stage was never deployed. */
  | { readonly kind: 'free'; readonly tables: readonly string[] }
  /** One line for each node with a lease of the job, and for each lease that cannot be read, with its table. */
  | { readonly kind: 'leased'; readonly lines: readonly string[] }
  | { readonly kind: 'unknown'; readonly why: string };

/**
 * The leases in the stage's tables: the stack's own table, and those that earlier stacks have left. Without a stack, no tick ends a defrag.
 * Never throws: leases that cannot be read are unknown.
 */
export async function removalOf(stage: string): Promise<Removal> {
  try {
    const client = createDynamoClient();
    const tables = await tablesOf(client, stage);
    const lines: string[] = [];
    for (const tableName of tables) {
      const found = await leaseLines(createDynamoStore(client, { tableName }));
      lines.push(...found.map((line) => `${line} (table ${tableName})`));
    }
    client.destroy();
    return lines.length === 0 ? { kind: 'free', tables } : { kind: 'leased', lines };
  } catch (error) {
    return { kind: 'unknown', why: errorText(error) };
  }
}

/** `offpeak-prod-StateTable-1ABCDEFGHIJKL`: CloudFormation names it by stack and logical id. No stage holds a capital. */
async function tablesOf(client: DynamoDBClient, stage: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { TableNames = [] } of paginateListTables({ client }, {}))
    found.push(...TableNames.filter((name) => name.startsWith(`${stackName(stage)}-${ID.table}-`)));
  return found;
}

/** @throws {StateUnavailable} where the table cannot be read. */
export async function leaseLines(store: StateStore): Promise<readonly string[]> {
  const unreadable: string[] = [];
  const leases = leasesOf(await store.list(LEASE), (_, why) => void unreadable.push(why));
  const held = leasesIn(leases).map(
    ({ instance, node, expiresAt }) => `${instance} ${node}: held until ${timeText(expiresAt)}`,
  );
  const groups = await readGroupLeases(store, (_, why) => void unreadable.push(why));
  const switched = groups.map(
    ({ lease: { group, expiresAt } }) => `parameter group ${group}: held until ${timeText(expiresAt)}`,
  );
  return [...held, ...switched, ...unreadable];
}
