import { expect, test } from 'vitest';
import { CommandCosts } from '../../../../../core/adapters/redis/command-costs.ts';
import type { Connection, Reply } from '../../../../../core/adapters/redis/connection.ts';

/** A connection that answers INFO commandstats with these, one after the other. */
function costsOf(...texts: readonly (string | undefined)[]) {
  const left = [...texts];
  const connection: Connection = {
    sent: 0,
    async send() {
      const text = left.shift();
      const reply: Reply = text === undefined ? { ok: false, error: 'NOPERM' } : { ok: true, value: text };
      return [reply];
    },
    close: () => {},
  };
  return new CommandCosts(connection);
}

const stat = (name: string, calls: number, usec: number) =>
  `cmdstat_${name}:calls=${calls},usec=${usec},usec_per_call=1.00\r\n`;

test('counts each command of its own with the mean of all since the last look', async () => {
  const costs = costsOf(stat('type', 100, 1000), stat('type', 300, 3000) + stat('memory|usage', 10, 50));
  expect(await costs.spent()).toBeUndefined();
  costs.count(Array.from({ length: 20 }, () => ['TYPE', Buffer.from('k')]));
  costs.count([['MEMORY', 'USAGE', 'k']]);
  expect(await costs.spent()).toBeCloseTo((20 * 10 + 5) / 1000);
});

test('before Redis 7.0, subcommands are counted together', async () => {
  const costs = costsOf(stat('object', 10, 100), stat('object', 20, 300));
  await costs.spent();
  costs.count([['OBJECT', 'ENCODING', 'k']]);
  expect(await costs.spent()).toBeCloseTo(0.02);
});

test.each<readonly [what: string, texts: readonly (string | undefined)[]]>([
  ['counters that were reset', [stat('type', 100, 1000), stat('type', 50, 20)]],
  ['a refusal', [stat('type', 100, 1000), undefined]],
  ['nonsense', ['cmdstat_type:calls=x', 'cmdstat_type:calls=-1,usec=2']],
  ['a command that is not listed', ['', stat('get', 1, 1)]],
])('%s: not known', async (_, texts) => {
  const costs = costsOf(...texts);
  await costs.spent();
  costs.count([['TYPE', 'k']]);
  expect(await costs.spent()).toBeUndefined();
});
