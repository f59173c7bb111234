import { CloudFormationClient, DescribeStackResourceCommand } from '@aws-sdk/client-cloudformation';
import { timeText } from '../functions/maintain/decide/words-units.ts';
import { LEASE, leasesIn, leasesOf } from '../functions/maintain/leases.ts';
import { CALL_POLICY, createDynamoClient } from '../functions/shared/aws/clients.ts';
import { createDynamoStore } from '../functions/shared/state/dynamo-store.ts';
import type { StateStore } from '../functions/shared/state/store.ts';
import { ID, stackName } from './names.ts';

/** What a stack that is about to be removed has in its table. */
export type Removal =
  /** Nothing of ours is on, as far as the table knows; none where no such stack is deployed. */
  | { readonly kind: 'free'; readonly table: string | undefined }
  /** One line for each node on which the job's lease stands, and for each lease that cannot be read. */
  | { readonly kind: 'leased'; readonly lines: readonly string[] }
  | { readonly kind: 'unknown'; readonly why: string };

/**
 * Once the stack is gone nobody ends a defrag any more, so what its table says is asked first. Never throws: what cannot be asked is
 * unknown.
 */
export async function removalOf(stage: string): Promise<Removal> {
  try {
    const table = await tableOf(stage);
    if (table === undefined) return { kind: 'free', table };
    const client = createDynamoClient();
    try {
      const lines = await leaseLines(createDynamoStore(client, { tableName: table }));
      return lines.length === 0 ? { kind: 'free', table } : { kind: 'leased', lines };
    } finally {
      client.destroy();
    }
  } catch (error) {
    return { kind: 'unknown', why: error instanceof Error ? `${error.name}: ${error.message}` : String(error) };
  }
}

/** The stack's table by the name that CloudFormation has given it; undefined where there is no such stack. */
async function tableOf(stage: string): Promise<string | undefined> {
  const client = new CloudFormationClient(CALL_POLICY);
  const StackName = stackName(stage);
  try {
    const asked = new DescribeStackResourceCommand({ StackName, LogicalResourceId: ID.table });
    return (await client.send(asked)).StackResourceDetail?.PhysicalResourceId;
  } catch (error) {
    // The one way in which CloudFormation says it, under a name that it has for everything.
    if (error instanceof Error && /Stack .*does not exist/i.test(error.message)) return undefined;
    throw error;
  } finally {
    client.destroy();
  }
}

/** @throws {StateUnavailable} where the table cannot be read. */
export async function leaseLines(store: StateStore): Promise<readonly string[]> {
  const unreadable: string[] = [];
  const leases = leasesOf(await store.list(LEASE), (_, why) => void unreadable.push(why));
  const held = leasesIn(leases).map(
    ({ instance, node, expiresAt }) => `${instance} ${node}: held until ${timeText(expiresAt)}`,
  );
  return [...held, ...unreadable];
}
