import { readFileSync } from 'node:fs';
import { EnvironmentError } from '../config/environment.ts';
import { parseConfig } from '../config/parse.ts';
import { ConfigError } from '../config/problem.ts';
import type { Config } from '../config/schema.ts';

/**
 * The configuration in `file`: YAML, or with the ending `.json` the checked form that packaging has written. A package carries the latter
 * only: the YAML parser and the schema are 30 ms of a cold start, and packaging has checked the file already.
 *
 * @throws {ConfigError} with every problem of the file; {EnvironmentError} when there is no such file.
 */
export function readConfig(file: string, stage: string): Config {
  const text = readText(file);
  if (file.endsWith('.json')) return readPackaged(file, text, stage);
  const result = parseConfig(text, stage);
  if (!result.ok) throw new ConfigError(result.problems, file);
  return result.config;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new EnvironmentError(
      `the config file ${file} cannot be read (${code}): it must be a YAML file, like config/example.yml`,
    );
  }
}

/** The stage is in every metric: a package of another stage would overwrite that stage's. */
function readPackaged(file: string, text: string, stage: string): Config {
  const accepted = `write it with \`npm run package -- --stage ${stage}\``;
  let config: Config;
  try {
    config = JSON.parse(text) as Config;
  } catch {
    throw new EnvironmentError(`the config file ${file} is not JSON: ${accepted}`);
  }
  if (config?.stage === stage && Array.isArray(config.instances)) return config;
  throw new EnvironmentError(`the config file ${file} is not the one of stage ${stage}: ${accepted}`);
}
