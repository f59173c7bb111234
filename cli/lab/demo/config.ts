import { parseConfig } from '../../../core/config/parse.ts';
import { ConfigError } from '../../../core/config/problem.ts';
import type { Config } from '../../../core/config/schema.ts';

/** The demo's config: the default policy, and a window that is always open. */
export function demoConfig(port: number): Config {
  const yaml = `
instances:
  - id: demo
    url: redis://127.0.0.1:${port}
    memoryLimit: 768MiB
    timezone: UTC
    windows: [{ days: daily, start: "00:00", duration: 24h }]
    metrics: detailed
`;
  const result = parseConfig(yaml, 'demo');
  if (!result.ok) throw new ConfigError(result.problems);
  return result.config;
}
