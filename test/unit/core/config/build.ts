import { parseConfig } from '../../../../core/config/parse.ts';
import type { ConfigProblem } from '../../../../core/config/problem.ts';
import { formatProblems } from '../../../../core/config/problem.ts';
import type { Config, InstanceConfig } from '../../../../core/config/schema.ts';

/** The problems of a file; none when it is fine. */
export function problemsOf(yaml: string, stage = 'prod'): readonly ConfigProblem[] {
  const result = parseConfig(yaml, stage);
  return result.ok ? [] : result.problems;
}

/** The configuration of a file that must be fine. */
export function configOf(yaml: string, stage = 'prod'): Config {
  const result = parseConfig(yaml, stage);
  if (!result.ok) throw new Error(`not accepted:\n${formatProblems(result.problems)}`);
  return result.config;
}

/** One instance with an id, an address and these keys, each a line of YAML. */
export function fileWith(...keys: readonly string[]): string {
  return ['instances:', '  - id: sessions', '    url: redis://10.0.0.5', ...keys.map((key) => `    ${key}`)].join('\n');
}

/** What such an instance becomes. */
export function instanceWith(...keys: readonly string[]): InstanceConfig {
  const [instance] = configOf(fileWith(...keys)).instances;
  if (instance === undefined) throw new Error('no instance');
  return instance;
}
