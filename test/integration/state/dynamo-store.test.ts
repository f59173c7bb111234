import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createDynamoClient } from '../../../core/adapters/aws/clients.ts';
import { createDynamoStore } from '../../../core/state/dynamodb/store.ts';
import { stateTables } from '../../support/dynamo-table.ts';
import { describeWithMoto } from '../../support/moto.ts';
import { kill9, nextMessage } from '../../support/state-contenders.ts';
import { stateStoreContract } from '../../support/state-store-contract.ts';

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
      expect(await Promise.all(children.map(nextMessage))).toEqual(['ready', 'ready']);
      const store = createDynamoStore(client, { tableName });
      const versions: number[] = [];
      for (let round = 0; round < 30; round++) {
        const answers = children.map(nextMessage);
        children.forEach((child, holder) => void child.send({ round, holder }));
        const winners = (await Promise.all(answers)).flatMap((result, holder) =>
          isStored(result) ? [{ value: { round, holder }, version: result.version }] : [],
        );
        expect(winners, `round ${round}`).toHaveLength(1);
        const lease = await store.read('lease#sessions');
        expect(lease).toEqual(winners[0]);
        versions.push(lease?.version ?? 0);
        expect(await store.remove('lease#sessions', lease?.version ?? 0)).toBe(true);
      }
      expect(versions).toEqual([...new Set(versions)].sort((a, b) => a - b));
    } finally {
      await Promise.all(children.map(kill9));
    }
  });
});

function isStored(result: unknown): result is { readonly version: number } {
  return typeof result === 'object' && result !== null && 'version' in result && typeof result.version === 'number';
}
