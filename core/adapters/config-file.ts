import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { SecretReference } from '../config/address.ts';
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
  return withFilesBeside(result.config, dirname(resolve(file)));
}

/** `file:` references begin at the folder of the config file, wherever Offpeak is run. */
function withFilesBeside(config: Config, folder: string): Config {
  const settle = (value: unknown): unknown => {
    if (isFile(value)) return { source: 'file', path: resolve(folder, value.path) };
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? settled(value) : value;
  };
  const settled = <T extends object>(part: T): T =>
    Object.fromEntries(Object.entries(part).map(([key, value]) => [key, settle(value)])) as T;
  const instances = config.instances.map((instance) => ({
    ...instance,
    ...(instance.tls && { tls: settled(instance.tls) }),
    ...(instance.credentials && { credentials: settled(instance.credentials) }),
    ...(instance.discover && { discover: settled(instance.discover) }),
  }));
  return { ...config, instances };
}

function isFile(value: unknown): value is Extract<SecretReference, { source: 'file' }> {
  return typeof value === 'object' && value !== null && 'source' in value && value.source === 'file';
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const remedy =
      code === 'ENOENT' && /\.ya?ml$/.test(file) ? `. \`npx offpeak init redis://… -o ${file}\` writes one` : '';
    throw new EnvironmentError(
      `the config file ${file} cannot be read (${code}): it must be a YAML file, like config/example.yml${remedy}`,
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
