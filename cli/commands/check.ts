import { systemClock } from '../../core/adapters/clock.ts';
import type { Config } from '../../core/config/schema.ts';
import type { StateStore } from '../../core/ports/state-store.ts';
import { type Scope, type Tick, WHOLE_FLEET } from '../../core/reconcile/scope.ts';
import { tick } from '../../core/reconcile/tick.ts';
import { fleetOf, PASSWORD_VARIABLE } from '../addresses.ts';
import { exitCodeOf } from '../exit.ts';
import { type CheckOptions, UsageError } from '../options.ts';
import { printer } from '../output.ts';
import { loadConfig, stateStore, warnOfClearText } from '../place.ts';
import { stderrLog, terminalPorts } from '../ports.ts';

interface Subject {
  readonly config: Config;
  readonly scope: Scope;
  readonly store: StateStore;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export async function check(addresses: readonly string[], options: CheckOptions): Promise<void> {
  const { config, scope, store, env } =
    addresses.length > 0 ? addressed(addresses, options) : await configured(options);
  const { ports, published } = await terminalPorts(store, systemClock(), stderrLog(options), { env });
  const result = await tick(config, ports, {
    mode: 'watch',
    holder: 'check',
    remaining: () => Number.MAX_SAFE_INTEGER,
    scope,
  });
  printer(options, config, published, { isBrief: !options.full })(store === EMPTY ? withoutLeases(result) : result);
  process.exitCode = exitCodeOf([result]);
}

async function configured(options: CheckOptions): Promise<Subject> {
  if (options.memoryLimit !== undefined)
    throw new UsageError(
      'check --memory-limit: accepted beside addresses only; a config has memoryLimit for each instance',
    );
  const { config, scope } = loadConfig(options);
  warnOfClearText(config);
  return { config, scope, store: await stateStore(options, config.stage), env: process.env };
}

/** Servers of which nothing is stored. */
function addressed(addresses: readonly string[], options: CheckOptions): Subject {
  const { instance, stage, isPlaceTyped, memoryLimit } = options;
  if (isPlaceTyped || instance || stage)
    throw new UsageError('check: accepted are addresses, or a config with its --stage, --state and --instance');
  const { config, env, exposed } = fleetOf(addresses, { memoryLimit, env: process.env });
  for (const node of exposed)
    process.stderr.write(
      `offpeak: warning: the password for ${node} is on the command line, where other users of this machine can read it, and in the shell's history. Set ${PASSWORD_VARIABLE} instead\n`,
    );
  warnOfClearText(config, 'use rediss:// addresses (TLS)');
  return { config, scope: WHOLE_FLEET, store: EMPTY, env };
}

/** Where no state was read, a lease may hold what is on. */
function withoutLeases(tick: Tick): Tick {
  const outcomes = tick.outcomes.map((outcome) => ({
    ...outcome,
    notices: outcome.notices.map((notice) =>
      notice.kind === 'left-on' || notice.kind === 'foreign-defrag'
        ? { ...notice, areLeasesUnknown: true as const }
        : notice,
    ),
  }));
  return { ...tick, outcomes };
}

/** A check writes nothing. */
const EMPTY: StateStore = {
  list: async () => new Map(),
  read: async () => undefined,
  write: async () => ({ stored: false }),
  remove: async () => false,
};
