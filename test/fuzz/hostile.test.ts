import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningServer } from '../../cli/lab/start.ts';
import { MIB } from '../../core/config/units.ts';
import { clientOf } from '../support/fragmented.ts';
import { hostileServer, type Script } from '../support/hostile-server.ts';
import { INFO_NAMES, infoSection, infoText } from '../support/info-texts.ts';
import { type Looker, startLooker } from '../support/looker.ts';
import type { Answered } from '../support/looker-process.ts';
import { anyReply, encoded, mutation, oddBytes, type Reply } from '../support/resp.ts';
import { lacksServer, plainServer } from '../support/servers.ts';
import { RUNS } from './runs.ts';

/** Cases that are tried at once; most of their time is waiting. */
const AT_ONCE = 16;
/** Cases that are made at a time. */
const PORTION = 500;
/** `FUZZ_MINUTES=10 npx vitest run --project job test/fuzz/hostile.test.ts`: new cases for so long, whatever `FUZZ_RUNS` says. */
const MINUTES = Number(process.env.FUZZ_MINUTES ?? 0);
/** What V8 may use for objects, in MiB: a little more than a job needs. */
const HEAP = 96;

const SECTIONS = ['server', 'memory', 'persistence', 'replication', 'cpu', 'keyspace', 'stats'];
const SETTINGS = [
  ['activedefrag', 'no', 'active-defrag-cycle-max', '25', 'active-defrag-cycle-min', '1'],
  ['hz', '10'],
  ['latency-monitor-threshold', '0'],
];
const texts = (list: readonly string[]): Reply => ({ list: list.map((text) => ({ text })) });

/** What a real server answers to the sign-in and to a look. */
const honest = fc.constantFrom(...INFO_NAMES).map((name) => {
  const info = infoText(name);
  const infos = SECTIONS.map((section) => encoded({ text: infoSection(info, section) }));
  return {
    greeting: '',
    answers: ['+OK\r\n', [...SETTINGS.map((some) => encoded(texts(some))), '*0\r\n', '*0\r\n', ...infos].join('')],
  };
});

const mutations = fc.array(mutation, { minLength: 1, maxLength: 4 });
const mutated = fc.tuple(honest, fc.constantFrom('greeting', 'sign-in', 'look'), mutations).map(
  ([
    {
      greeting,
      answers: [signIn = '', look = ''],
    },
    where,
    some,
  ]) => {
    const broken = (part: string, text: string) =>
      part === where ? some.reduce((all, mutate) => mutate(all), text) : text;
    return { greeting: broken('greeting', greeting), answers: [broken('sign-in', signIn), broken('look', look)] };
  },
);

const generated = fc
  .tuple(oddBytes, fc.array(anyReply, { maxLength: 3 }), fc.array(anyReply, { maxLength: 14 }), fc.boolean())
  .map(([odd, first, second, isGreeted]) => ({
    greeting: isGreeted ? odd : '',
    answers: [first.map(encoded).join(''), second.map(encoded).join('') + odd],
  }));

/** Settings and texts that are RESP2, and no server's. */
const lying = fc
  .tuple(honest, fc.array(fc.string({ unit: 'binary', maxLength: 20 }), { maxLength: 6 }))
  .map(([said, odd]) => {
    const [signIn = '', look = ''] = said.answers;
    const utf8 = odd.map((text) => Buffer.from(text).toString('latin1'));
    const settings = encoded(texts(['hz', ...utf8, 'activedefrag', '\x1b[2Jyes; FLUSHALL']));
    return { greeting: '', answers: [signIn, settings + look.slice(look.indexOf('*2\r\n$2\r\nhz'))] };
  });

const script: fc.Arbitrary<Script> = fc
  .record({
    talk: fc.oneof(honest, { weight: 4, arbitrary: mutated }, { weight: 3, arbitrary: generated }, lying),
    piece: fc.constantFrom(1, 7, 1000, 65_536),
    // A server that says nothing more costs its time-out: see `bad-nodes.test.ts` for those that do.
    ending: fc.constantFrom('hang up', 'reset'),
  })
  .map(({ talk, piece, ending }): Script => {
    const size = talk.greeting.length + talk.answers.join('').length;
    return {
      ...talk,
      piece: Math.max(piece, Math.ceil(size / 2000)),
      ending: ending as Script['ending'],
      patience: 200,
    };
  });

const KINDS = ['unreachable', 'timeout', 'not-redis', 'refused', 'wrong-credentials', 'not-data-node'];

describe.skipIf(lacksServer('plain'))('whatever bytes a server sends', () => {
  let good: RunningServer;
  let runId: string;
  let looker: Looker;
  beforeAll(async () => {
    good = await plainServer();
    const client = clientOf(good);
    runId = /^run_id:(\w+)/m.exec(await client.info('server'))?.[1] ?? '';
    client.disconnect();
    looker = await startLooker(good.port, HEAP);
  });
  afterAll(async () => {
    await looker?.[Symbol.asyncDispose]();
    await good?.stop();
  });

  async function tried(one: Script, measures = false): Promise<Answered> {
    await using server = await hostileServer(one);
    const answered = await (measures ? looker.measure(server.port) : looker.look(server.port));
    expect(answered.good).toEqual({ runId, reachable: 1 });
    const [{ status, problem } = { status: 'missing' }] = answered.seen;
    if (problem)
      expect(problem).toEqual({
        kind: expect.toBeOneOf(KINDS),
        message: expect.stringMatching(/^\P{C}{1,700}$/u),
        expected: true,
      });
    else expect(status).toBeOneOf(['observed']);
    // Without what JSON has escaped: a control character, a mark of direction, a line break of Unicode's.
    expect(answered.said).not.toMatch(/\\u00[0189][0-9a-f]|[\u0080-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/);
    expect(answered.said).not.toContain('FLUSHALL');
    return answered;
  }

  /** Several at once; what fails names the scripts that were being played. */
  async function all(scripts: readonly Script[]): Promise<void> {
    const queue = [...scripts];
    const playing = new Set<Script>();
    const worker = async () => {
      for (let one = queue.pop(); one; one = queue.pop()) {
        playing.add(one);
        await tried(one).catch((error: Error) => {
          const suspects = error.message.includes('died') ? [...playing] : [one];
          throw new Error(`${error.message}\n${JSON.stringify(suspects)}`, { cause: error });
        });
        playing.delete(one);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  }

  const timeout = 120_000 + RUNS * 200 + MINUTES * 60_000;
  test('only its own look fails, and the healthy server beside it is seen and published each time (F1)', {
    timeout,
  }, async () => {
    const { seed: fixed = 0 } = fc.readConfigureGlobal();
    const first = MINUTES > 0 ? Date.now() % 1_000_000_000 : fixed;
    const end = performance.now() + MINUTES * 60_000;
    let cases = 0;
    for (let seed = first; cases < RUNS || performance.now() < end; seed++) {
      const scripts = fc.sample(script, { numRuns: Math.min(RUNS, PORTION), seed });
      await all(scripts);
      cases += scripts.length;
    }
    const { heap, buffers } = await tried({ greeting: '', answers: [], piece: 1, ending: 'hang up' }, true);
    expect(cases).toBeGreaterThanOrEqual(RUNS);
    expect(heap).toBeLessThan(HEAP * MIB);
    expect(buffers).toBeLessThan(32 * MIB);
  });
});
