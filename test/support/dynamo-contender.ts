import { createDynamoClient } from '../../core/adapters/aws/clients.ts';
import { createDynamoStore } from '../../core/state/dynamodb/store.ts';

/**
 * Another process at work on a state table: `node dynamo-contender.ts <table>`. For each message it tries to create
 * `lease#sessions` with that message as the value, and answers the result.
 */
const store = createDynamoStore(createDynamoClient(), { tableName: process.argv[2] ?? '' });

process.on('message', async (message) => process.send?.(await store.write('lease#sessions', message, undefined)));
process.send?.('ready');
