import { join } from 'node:path';
import { parseConfig } from '../../core/config/parse.ts';
import { ConfigError } from '../../core/config/problem.ts';
import type { Config } from '../../core/config/schema.ts';
import { buildFunctions } from '../../infra/build.ts';
import { FUNCTIONS, type JobFunction, jobFunctions, packagedConfig } from '../../infra/functions.ts';
import { makeWorkspace } from '../../test/infra/workspace.ts';
import { fleetConfig } from '../../test/support/fleet/config.ts';
import type { Kind, Ports } from '../../test/support/fleet/servers.ts';

/** A file has at most 256 KiB: a larger fleet is parsed in parts, and packaged as one. Whole instances of three nodes. */
const NODES_IN_A_FILE = 1_500;

/** @throws ConfigError where the bench's own config is wrong */
export function configOf(count: number, ports: Ports, kindOf: (index: number) => Kind): Config {
  const parts = Array.from({ length: Math.ceil(count / NODES_IN_A_FILE) }, (_, part) => {
    const from = part * NODES_IN_A_FILE;
    const text = fleetConfig(Math.min(NODES_IN_A_FILE, count - from), ports, kindOf, from);
    const result = parseConfig(text, 'prod');
    if (!result.ok) throw new ConfigError(result.problems, 'the config of the bench');
    return result.config;
  });
  const [first] = parts;
  if (!first) throw new RangeError('a fleet has at least one node');
  return { ...first, instances: parts.flatMap(({ instances }) => instances) };
}

interface Packaged extends Disposable {
  /** A function's entry, and its config. */
  of(key: JobFunction): { readonly handler: string; readonly configFile: string };
}

export async function packaged(config: Config): Promise<Packaged> {
  const { folder, ...workspace } = makeWorkspace();
  await buildFunctions(folder, config, jobFunctions(config));
  return {
    of: (key) => ({
      handler: join(folder, `dist/${FUNCTIONS[key]}/handler.mjs`),
      configFile: join(folder, packagedConfig(key)),
    }),
    [Symbol.dispose]: () => workspace[Symbol.dispose](),
  };
}
