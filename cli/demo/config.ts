import { parseConfig } from '../../functions/shared/config/parse.ts';
import { ConfigError } from '../../functions/shared/config/problem.ts';
import type { Config } from '../../functions/shared/config/schema.ts';

/**
 * The demo's config: floors for a server of a few hundred megabytes, and a window that is always open. The promise is three times
 * the default: on a laptop or in CI the server loses its processor for 20 ms now and then, and a broken promise ends the run.
 */
export function demoConfig(port: number): Config {
  const yaml = `
instances:
  - id: demo
    url: redis://127.0.0.1:${port}
    memoryLimit: 512MiB
    timezone: UTC
    windows: [{ days: daily, start: "00:00", duration: 24h }]
    purge: { minReclaim: 32MiB, maxBlock: 100ms }
    defrag: { minReclaim: 32MiB, maxStall: 15ms, maxCpu: 25% }
    metrics: detailed
`;
  const result = parseConfig(yaml, 'demo');
  if (!result.ok) throw new ConfigError(result.problems);
  return result.config;
}
