import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { MIB, MINUTE, SECOND } from '../../core/config/units.ts';
import type { Session } from '../../core/ports/node-session.ts';
import type { Ports } from '../../core/ports/ports.ts';
import { aStore } from '../model/store.ts';
import { anInstance, NODE, NOW } from '../support/builders.ts';
import { contextOf, SCHEDULED } from '../support/lambda.ts';
import { aRetainingObservation, aTidyObservation } from '../support/situations.ts';
import { hostileText, mutatedJson } from './json.ts';
import { RUNS } from './runs.ts';

/** An event may carry anything, and nobody has asked to have it written down. */
const TOKEN = 'token-7c1f-of-an-event';

/** What somebody might hope for who invokes the function by hand. */
const WISHES = {
  mode: 'watch',
  dryRun: true,
  only: [{ instance: 'carts', node: NODE }],
  release: 'released',
  instances: [],
  remaining: 0,
  now: 0,
  stage: 'dev',
};

const budgets = fc.oneof(fc.integer({ min: 0, max: MINUTE }), fc.integer({ min: 0, max: 15 * MINUTE }));

const text = hostileText.map((odd) => `${TOKEN}${odd}`);
const event: fc.Arbitrary<unknown> = fc.oneof(
  mutatedJson([SCHEDULED, WISHES, { ...SCHEDULED, ...WISHES, detail: WISHES }, [SCHEDULED]]),
  fc.dictionary(text, fc.jsonValue({ maxDepth: 2 })),
  fc.tuple(text, mutatedJson([SCHEDULED])),
  text,
  fc.jsonValue(),
  fc.constantFrom(undefined, null),
);

/** A node with a purge's worth of free pages, inside its window, and everything that is done to it and told of it. */
function aScene() {
  const { store, documents } = aStore();
  const effects: unknown[] = [];
  let purged = false;
  let now = NOW;
  const pass = async (duration: number) => {
    now += duration;
  };
  const session: Session = {
    look: async () => (purged ? aTidyObservation({ at: now }) : aRetainingObservation(200 * MIB, { at: now })),
    probeDefrag: async () => 'supported',
    examine: async () => ({ modules: [] }),
    clusterLines: async () => undefined,
    waits: async () => [],
    inquire: async () => ({ rights: {}, waits: [] }),
    rewrites: async () => ({ calls: 0, hasFile: true }),

    keys: () => Promise.reject(new Error('no job draws keys')),
    keepAlive: async () => {},
    configure: async (settings) => {
      effects.push({ settings });
      return { done: true, found: {} };
    },
    purge: async () => {
      effects.push('purge');
      purged = true;
      return { done: true, blocked: 50 };
    },
    close: () => {},
  };
  const told = async (items: readonly unknown[]) => ({ sent: effects.push(...items), rejected: [] });
  return {
    effects,
    elapsed: () => now - NOW,
    reset() {
      documents.clear();
      effects.length = 0;
      purged = false;
      now = NOW;
    },
    ports: {
      open: async () => session,
      store,
      metrics: { publish: told },
      alerts: { send: told },
      clock: { now: () => now, sleep: pass, pause: pass },
    },
  };
}

describe('whatever the job is invoked with', () => {
  const scene = aScene();
  const logs: string[] = [];
  const config = {
    stage: 'prod',
    instances: [anInstance()],
    schedule: { every: 5 * MINUTE, timezone: 'UTC' },
    notifications: { emails: [] },
    fleet: { queue: 'auto', workers: 16 },
    metrics: { send: 'classic' },
    maxDefragsAtOnce: 4,
    logRetention: 30,
  };
  let handler: typeof import('../../functions/maintain/handler.ts')['handler'];

  beforeAll(async () => {
    // With POWERTOOLS_DEV the logger writes to the console that can be listened to, not to the process' own streams.
    vi.stubEnv('POWERTOOLS_DEV', 'true');
    for (const level of ['info', 'warn', 'error', 'debug'] as const) {
      vi.spyOn(console, level).mockImplementation((line) => void logs.push(String(line)));
    }
    vi.resetModules();
    // The exported handler, on ports that are ours: it is the composition that would reach for AWS.
    vi.doMock('../../functions/compose.ts', () => ({
      compose: (_env: unknown, log: Ports['log']) => ({ config, ports: { ...scene.ports, log } }),
    }));
    ({ handler } = await import('../../functions/maintain/handler.ts'));
  });
  afterAll(() => {
    vi.doUnmock('../../functions/compose.ts');
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
  });

  async function invoke(sent: unknown, budget = 10 * MINUTE) {
    scene.reset();
    logs.length = 0;
    return { summary: await handler(sent, contextOf(budget)), effects: [...scene.effects] };
  }

  test('it does what it does by schedule, and logs nothing of the event', async () => {
    const scheduled = await invoke(SCHEDULED);
    expect(scheduled.summary).toEqual({ ticks: 1, nodes: 1, acted: 1, unreachable: 0, leased: 0 });
    expect(scheduled.effects).toContain('purge');
    await fc.assert(
      fc.asyncProperty(event, async (sent) => {
        expect(await invoke(sent)).toEqual(scheduled);
        expect(logs.join('\n')).not.toContain(TOKEN);
      }),
      { numRuns: RUNS, examples: [[WISHES], [undefined], [null]] },
    );
  });

  test('with any time that is left, it looks and tells, and begins nothing that it could not end', async () => {
    await fc.assert(
      fc.asyncProperty(event, budgets, async (sent, budget) => {
        const { summary, effects } = await invoke(sent, budget);
        expect(summary).toMatchObject({ ticks: 1, nodes: 1, unreachable: 0, leased: 0 });
        expect(effects).toContainEqual(expect.objectContaining({ name: 'Heartbeat', value: 1 }));
        expect(effects.includes('purge')).toBe(summary?.acted === 1);
        // What has been begun is over with 15 s left, which telling may take.
        if (summary?.acted === 1) expect(budget - scene.elapsed()).toBeGreaterThan(15 * SECOND);
      }),
      { numRuns: RUNS, examples: [[SCHEDULED, 0]] },
    );
  });
});
