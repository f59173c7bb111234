import { describe, expect, test } from 'vitest';
import type { Command, Connection, Reply } from '../../../../../core/adapters/redis/connection.ts';
import { examine } from '../../../../../core/adapters/redis/examine.ts';
import type { ClusterView } from '../../../../../core/domain/examined.ts';
import { anEngine } from '../../../../support/builders.ts';
import { infoSection, infoText } from '../../../../support/info-texts.ts';

const ok = (value: unknown): Reply => ({ ok: true, value });
const noperm: Reply = { ok: false, error: "NOPERM User offpeak has no permissions to run the 'cluster|nodes' command" };

interface Answers {
  readonly info?: string;
  readonly cluster?: Readonly<Record<string, Reply>>;
}

function connectionTo({ info = '', cluster = {} }: Answers) {
  const asked: string[] = [];
  const answer = ([name, sub = '']: Command): Reply =>
    name === 'INFO' ? ok(infoSection(info, sub)) : (cluster[sub] ?? noperm);
  const connection: Connection = {
    sent: 0,
    async send(commands) {
      asked.push(...commands.map((command) => command.join(' ')));
      return commands.map(answer);
    },
    close: () => {},
  };
  return { connection, asked };
}

const engine = anEngine();

describe('INFO modules', () => {
  test.each([
    ['redis-7.0.15', []],
    ['redis-8.2.3', [{ name: 'vectorset', version: 1 }]],
    ['valkey-9.1.2-system-jemalloc', [{ name: 'lua', version: 1 }]],
  ])('of a real %s', async (name, modules) => {
    const { connection, asked } = connectionTo({ info: infoText(name) });
    expect(await examine(connection, { engine })).toEqual({ modules });
    expect(asked).toEqual(['INFO modules', 'INFO clients']);
  });

  test('of Redis Stack, with what search says of its indexes; nonsense is no module', async () => {
    const info = `# Modules
module:name=search,ver=20809,api=1,filters=0,usedby=[],using=[ReJSON],options=[handle-io-errors]
module:name=ReJSON,ver=20607,api=1,filters=0,usedby=[search],using=[],options=[handle-io-errors]
module:name=\u001b[31mred,ver=1
module:ver=1,name=late
module:name=nothing
search_number_of_indexes:2
`;
    const { connection } = connectionTo({ info });
    expect(await examine(connection, { engine })).toEqual({
      modules: [
        { name: 'search', version: 20_809, indexes: 2 },
        { name: 'ReJSON', version: 20_607 },
      ],
    });
  });
});

describe('INFO clients of Valkey 8.1', () => {
  test('who pauses them, and for how long yet', async () => {
    const info = '# Clients\npaused_reason:client_pause\npaused_actions:write\npaused_timeout_milliseconds:8012\n';
    const { connection } = connectionTo({ info });
    expect(await examine(connection, { engine })).toMatchObject({ paused: { reason: 'client_pause', left: 8012 } });
  });
});

const ID = ['07c37dfeb235213a872192d90877d0cd55635b91', '67ed2db8d677e59ec4a4cefb06858cf2a1a89fa1'] as const;
const own = (slots: string) => `${ID[0]} 127.0.0.1:30001@31001,,tls-port=0 myself,master - 0 0 1 connected ${slots}\n`;
const other = (slots: string) => `${ID[1]} 127.0.0.1:30002@31002 master - 0 1426238316232 2 connected ${slots}\n`;

describe('of a node of a Cluster', () => {
  const asked = async (cluster: Answers['cluster'] = {}, on = engine) => {
    const { connection, asked: commands } = connectionTo({ cluster });
    const { cluster: view } = await examine(connection, { engine: on, isCluster: true });
    return { view, commands };
  };
  const state = ok('cluster_state:ok\r\ncluster_slots_assigned:16384\r\n');

  test.each<[string, Reply, Reply, ClusterView]>([
    ['at rest', state, ok(own('0-5460') + other('5461-16383')), { isUp: true, migrating: 0 }],
    [
      'with slots on their way to and from it',
      state,
      ok(other('5461-16383') + own(`0-5460 [77->-${ID[1]}] [93-<-${ID[1]}]`)),
      { isUp: true, migrating: 2 },
    ],
    [
      "another node's are not its own",
      state,
      ok(own('0-5460') + other(`[77->-${ID[0]}]`)),
      { isUp: true, migrating: 0 },
    ],
    ['down', ok('cluster_state:fail\r\n'), ok(own('0-5460')), { isUp: false, migrating: 0 }],
    [
      'atomic migration of Redis 8.4',
      ok(
        'cluster_state:ok\r\ncluster_slot_migration_active_tasks:1\r\ncluster_slot_migration_active_trim_running:2\r\n',
      ),
      ok(own('0-5460')),
      { isUp: true, migrating: 3 },
    ],
  ])('%s', async (_, INFO, NODES, view) => expect((await asked({ INFO, NODES })).view).toEqual(view));

  test.each([
    ['neither', {}],
    ['no CLUSTER NODES', { INFO: state }],
    ['no CLUSTER INFO', { NODES: ok(own('0-5460')) }],
    ['nothing that is a text', { INFO: ok(1), NODES: ok(null) }],
  ])('that allows us %s', async (_, cluster) => expect((await asked(cluster)).view).toBe('refused'));

  test('Valkey 9 is asked for its atomic migrations; those that are over count no more', async () => {
    const valkey = anEngine({ name: 'valkey', version: '9.0.1' });
    const entry = (status: string) => ['name', 'abc', 'operation', 'EXPORT', 'slot_ranges', '0-5', 'state', status];
    const GETSLOTMIGRATIONS = ok([entry('success'), entry('failed'), entry('cancelled'), entry('snapshotting')]);
    const nodes = { INFO: state, NODES: ok(own('0-5460')) };
    const { view, commands } = await asked({ ...nodes, GETSLOTMIGRATIONS }, valkey);
    expect(view).toEqual({ isUp: true, migrating: 1 });
    expect(commands.at(-1)).toBe('CLUSTER GETSLOTMIGRATIONS');
    expect((await asked(nodes, valkey)).view).toBe('refused');
    expect((await asked(nodes)).commands).not.toContain('CLUSTER GETSLOTMIGRATIONS');
  });
});
