import { join } from 'node:path';
import { systemClock } from '../../core/adapters/clock.ts';
import { parseConfig } from '../../core/config/parse.ts';
import { ConfigError } from '../../core/config/problem.ts';
import type { Config } from '../../core/config/schema.ts';
import type { Milliseconds } from '../../core/config/units.ts';
import { type Tick, WHOLE_FLEET } from '../../core/reconcile/scope.ts';
import { createFileStore } from '../../core/state/file/file-store.ts';
import { type Published, stderrLog, terminalPorts } from '../ports.ts';
import { ticks } from '../watch.ts';

interface NightOptions {
  readonly id: string;
  readonly port: number;
  /** As a config writes it. */
  readonly memoryLimit: string;
  /** Where the state is kept. */
  readonly folder: string;
  readonly every: Milliseconds;
  readonly signal: AbortSignal;
  /** More keys of the instance, each as a line of the config. */
  readonly more?: string;
}

interface Night {
  readonly config: Config;
  readonly published: Published;
  /** Until nothing is left to do, as `offpeak run --watch --until-idle` has them. */
  readonly ticks: AsyncGenerator<Tick>;
}

/** The job with its default policy on a server of one's own, in a window that is always open. */
export async function openNight(options: NightOptions): Promise<Night> {
  const { id, folder, every, signal } = options;
  const config = nightConfig(options);
  const store = createFileStore(join(folder, 'state.db'));
  const { ports, published } = await terminalPorts(store, systemClock({ signal }), stderrLog({}));
  const remaining = () => Number.MAX_SAFE_INTEGER;
  const tickOptions = { mode: 'act', scope: WHOLE_FLEET, holder: id, remaining } as const;
  return { config, published, ticks: ticks(config, ports, tickOptions, { every, until: 'idle', signal }) };
}

function nightConfig({ id, port, memoryLimit, more = '' }: NightOptions): Config {
  const yaml = `
instances:
  - id: ${id}
    url: redis://127.0.0.1:${port}
    memoryLimit: ${memoryLimit}
    timezone: UTC
    windows: [{ days: daily, start: "00:00", duration: 24h }]
    ${more}
`;
  const result = parseConfig(yaml, id);
  if (!result.ok) throw new ConfigError(result.problems);
  return result.config;
}
