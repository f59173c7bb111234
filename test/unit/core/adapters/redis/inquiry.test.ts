import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Command, Connection, Reply } from '../../../../../core/adapters/redis/connection.ts';
import { inquire, RIGHTS } from '../../../../../core/adapters/redis/inquiry.ts';
import { runs } from '../../../../fuzz/runs.ts';
import { anEngine, anObservation } from '../../../../support/builders.ts';

const NODE = { id: '10.0.3.17:6379', host: '10.0.3.17', port: 6379, tls: false };
const ERR: Reply = { ok: false, error: "NOPERM this user has no permissions to run the 'acl|whoami' command" };
const text = (value: unknown): Reply => ({ ok: true, value });

/** Answers by the first two words; what is not named is refused. */
function aConnection(answers: Readonly<Record<string, Reply>>) {
  const sent: Command[] = [];
  const connection: Connection = {
    sent: 1,
    send: async (commands) => {
      sent.push(...commands);
      return commands.map(
        (command) =>
          answers[command.slice(0, 4).join(' ')] ??
          answers[command.slice(0, 3).join(' ')] ??
          answers[command.slice(0, 2).join(' ')] ??
          ERR,
      );
    },
    close: () => {},
  };
  return { connection, sent };
}

const ask = async (answers: Readonly<Record<string, Reply>>, over = {}) => {
  const { connection, sent } = aConnection(answers);
  return { seen: await inquire(connection, NODE, anObservation(over), [0.2]), sent };
};

describe('what only an audit asks', () => {
  test('settings, decay, rights, the words of MEMORY DOCTOR, keys with a TTL, the latest fork', async () => {
    const { seen } = await ask({
      'MEMORY DOCTOR': text(
        'Sam, I detected a few issues:\n\n * Peak memory: In the past …\n\n * High total RSS: This …\n',
      ),
      'MEMORY MALLOC-STATS': text(
        '  opt.dirty_decay_ms: 10000 (arenas.dirty_decay_ms: -1)\n  opt.muzzy_decay_ms: 0 (arenas.muzzy_decay_ms: 0)\n',
      ),
      'ACL WHOAMI': text('offpeak'),
      'ACL DRYRUN offpeak INFO': text('OK'),
      'ACL DRYRUN offpeak MEMORY': text("This user has no permissions to run the 'memory|purge' command"),
      'CONFIG GET save': text(['save', '3600 1']),
      'INFO replication': text(`role:master\r\nmaster_replid:${'a'.repeat(40)}\r\n`),
      'INFO stats': text('latest_fork_usec:1500\r\n'),
      'INFO keyspace': text('db0:keys=9,expires=2,avg_ttl=0\r\ndb3:keys=1,expires=1,avg_ttl=0\r\n'),
    });
    expect(seen).toEqual({
      settings: { save: '3600 1' },
      doctor: ['Peak memory', 'High total RSS'],
      decay: { dirty: -1, muzzy: 0 },
      user: 'offpeak',
      rights: { info: true, 'memory|purge': false },
      waits: [0.2],
      expires: 3,
      replicationId: 'a'.repeat(40),
      lastFork: 1.5,
    });
  });

  test('what is refused is absent, and nothing is tried for an unknown user', async () => {
    const { seen, sent } = await ask({});
    expect(seen).toEqual({ rights: {}, waits: [0.2], expires: 0 });
    expect(sent.filter(([name, what]) => name === 'ACL' && what === 'DRYRUN')).toEqual([]);
  });

  test('before Redis 6 there are no users: everything is allowed, and nothing is asked', async () => {
    const { seen, sent } = await ask({}, { engine: anEngine({ version: '5.0.14' }) });
    expect(seen.rights).toEqual(Object.fromEntries(Object.keys(RIGHTS).map((name) => [name, true])));
    expect(sent.some(([, what]) => what === 'DRYRUN')).toBe(false);
  });

  test('what could not be printed on one line, or was not asked for, is left out', async () => {
    const { seen } = await ask({
      'CONFIG GET save': text(['save', '900 1\ninstances: []']),
      'CONFIG GET bind': text(['bind', '\u001b[31m127.0.0.1']),
      'CONFIG GET appendonly': text(['appendonly', 'no', 'requirepass', 's3cret-word']),
    });
    expect(seen.settings).toEqual({ appendonly: 'no' });
  });

  test('on a node of a Cluster it asks for its rights there as well', async () => {
    const { seen } = await ask({ 'ACL WHOAMI': text('a'), 'ACL DRYRUN a CLUSTER': text('OK') }, { isCluster: true });
    expect(seen.rights).toEqual({ 'cluster|info': true, 'cluster|nodes': true });
  });

  test('whatever a server answers is read or left out, and printable', async () => {
    const reply = fc.oneof(
      fc.jsonValue().map(text),
      fc.string().map(text),
      fc
        .constantFrom(
          'opt.dirty_decay_ms: 99999999999999999999',
          'db0:keys=1,expires=NaN',
          ' * Peak \u001b[31mmemory: x',
        )
        .map(text),
      fc.string().map((error): Reply => ({ ok: false, error })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(reply, { minLength: 1 }), async (replies) => {
        const send: Connection['send'] = async (commands) =>
          commands.map((_, index) => replies[index % replies.length] ?? ERR);
        const seen = await inquire({ sent: 1, send, close: () => {} }, NODE, anObservation(), []);
        const { settings = {}, user = '', doctor = [], expires = 0, decay } = seen;
        expect([...Object.values(settings), user, ...doctor].join('')).toMatch(/^[ -~]*$/);
        expect(Number.isFinite(expires) && Number.isFinite(decay?.dirty ?? 0)).toBe(true);
      }),
      { numRuns: runs(0.6) },
    );
  });

  test('it reads only, and never asks for a password', async () => {
    const { sent } = await ask({ 'ACL WHOAMI': text('offpeak') });
    const words = sent.map(([name, what]) => (name === 'PING' ? name : `${name} ${what}`));
    const readers = ['MEMORY DOCTOR', 'MEMORY MALLOC-STATS', 'ACL WHOAMI', 'ACL DRYRUN', 'CONFIG GET', 'PING'];
    expect(words.filter((word) => !readers.includes(word) && !word.startsWith('INFO '))).toEqual([]);
    expect(JSON.stringify(sent)).not.toMatch(/requirepass|masterauth|masteruser|tls-key/);
  });
});
