import { createDynamoClient } from '../../functions/shared/aws/clients.ts';
import { createDynamoStore } from '../../functions/shared/state/dynamo-store.ts';

/**
 * Another process at work on a state table: `node dynamo-contender.ts <table>`. For each message it tries to create
 * `lease#sessions` with that message as the value, and answers the result.
 */
const store = createDynamoStore(createDynamoClient(), { tableName: process.argv[2] ?? '' });

process.on('message', async (message) => process.send?.(await store.write('lease#sessions', message, undefined)));
process.send?.('ready');
