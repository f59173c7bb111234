import { describe, expect, test } from 'vitest';
import { infoText } from '../support/info-texts.ts';
import { aJob, configYaml } from '../support/job.ts';
import { bulk, respServer } from '../support/odd-server.ts';
import { reportServer } from '../support/report-server.ts';
import { bytesOf, encoded, type Reply } from '../support/resp.ts';

const INFO = infoText('redis-7.0.15');
const ODD = '\x1b]0;owned\x07\x9b31m';
const list = (...words: readonly string[]): Reply => ({ list: words.map((text) => ({ text })) });

/** What is said after one tick beside a healthy node: that one is published, and `found` has no node. */
async function remarksBeside(discover: string): Promise<readonly string[]> {
  await using well = await reportServer(INFO);
  using job = aJob(`${configYaml(well.port)}  - { id: found, discover: ${discover} }\n`);
  const { outcomes, remarks, troubles } = await job.tick();
  expect(outcomes.map(({ instance, kind }) => [instance, kind])).toEqual([['sessions', 'observed']]);
  expect(troubles).toEqual([]);
  const said = JSON.stringify([remarks, job.logs, job.metrics, [...(await job.ports.store.list(''))]]);
  expect(said).not.toMatch(/\\u00[0189]|owned/);
  return remarks;
}

describe('F13, F15: what names the nodes of others', () => {
  test.each([
    ['a text that is too long for a key or a dimension', 'x'.repeat(1100)],
    ['escape sequences', `${ODD}host`],
    ['a zero byte', 'ho\0st'],
    ['a line break', '127.0.0.1\n'],
    ['the separator of keys', 'a#b'],
    ['nothing', ''],
  ])('a sentinel that names %s: the node is left out, and that is said', async (_, host) => {
    await using sentinel = await respServer(([, what]) =>
      what === 'MASTER' ? bytesOf(encoded(list('ip', host, 'port', '7777', 'flags', ODD))) : '*0\r\n',
    );
    const remarks = await remarksBeside(
      `{ sentinel: { name: main, sentinels: ["redis://127.0.0.1:${sentinel.port}"] } }`,
    );
    expect(remarks).toEqual(['found: a node is left out: the sentinel says no address for it']);
  });

  test('a Cluster that names escape sequences: the node is left out, and that is said without them', async () => {
    const node: Reply = { list: [{ text: 'id' }, { text: ODD }, { text: 'endpoint' }, { text: ODD }] };
    const shard: Reply = { list: [{ text: 'slots' }, { list: [{ number: 0 }] }, { text: 'nodes' }, { list: [node] }] };
    await using seed = await respServer(([name, what]) => {
      if (name !== 'CLUSTER') return '+OK\r\n';
      return what === 'SHARDS' ? bytesOf(encoded({ list: [shard] })) : bulk('cluster_state:ok\r\n');
    });
    const remarks = await remarksBeside(`{ cluster: { seeds: ["redis://127.0.0.1:${seed.port}"] } }`);
    expect(remarks).toEqual([
      expect.stringMatching(/: 127\.0\.0\.1:\d+ says no address for any node of its cluster: set /),
    ]);
  });
});
