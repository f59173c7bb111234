import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'vitest';
import { createDynamoClient } from '../../../core/adapters/aws/clients.ts';
import { createDynamoStore } from '../../../core/state/dynamodb/store.ts';
import { stateTables } from '../../support/dynamo-table.ts';
import { describeWithMoto } from '../../support/moto.ts';
import { kill9 } from '../../support/state-contenders.ts';
import { stateStoreContract } from '../../support/state-store-contract.ts';
import { raceForOneLease } from '../../support/state-store-races.ts';

const CONTENDER = fileURLToPath(new URL('../../support/dynamo-contender.ts', import.meta.url));

describeWithMoto('a state table over HTTP', () => {
  const current = stateTables();

  stateStoreContract('the DynamoDB store', async () => {
    const { client, tableName } = current();
    const second = createDynamoClient();
    return {
      store: createDynamoStore(client, { tableName }),
      another: async () => createDynamoStore(second, { tableName }),
      dispose: async () => second.destroy(),
    };
  });

  test('two processes that race for one lease 30 times: one gets it every time, under a version never seen before', async () => {
    const { client, tableName } = current();
    const children = [1, 2].map(() =>
      fork(CONTENDER, [tableName], { execArgv: [], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }),
    );
    try {
      await raceForOneLease(children, createDynamoStore(client, { tableName }), 30);
    } finally {
      await Promise.all(children.map(kill9));
    }
  });
});
