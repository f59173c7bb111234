import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig } from '../core/config/parse.ts';
import { ConfigError } from '../core/config/problem.ts';
import type { Config } from '../core/config/schema.ts';
import { rightsProblems } from './roles.ts';

/** The stage has no configuration. */
export class UnknownStage extends Error {
  override readonly name = 'UnknownStage';
}

/**
 * `config/<stage>.yml` below `root`, judged as for a deployment.
 * @throws {UnknownStage} naming the stages that there are; {ConfigError} with every problem of the file.
 */
export function loadConfig(root: string, stage: string): Config {
  const file = `config/${stage}.yml`;
  const stages = stagesIn(join(root, 'config'));
  // Searched in the folder, not joined to a path: a stage is text from the command line, and `../x` would name any file.
  if (!stages.includes(stage)) {
    const known = stages.length === 0 ? 'no stage has one yet' : `the stages are ${stages.join(', ')}`;
    throw new UnknownStage(`${file} does not exist: ${known}; \`npx offpeak init redis://… -o ${file}\` writes one`);
  }
  const result = parseConfig(readFileSync(join(root, file), 'utf8'), stage, 'deploy');
  const problems = result.ok ? rightsProblems(result.config) : result.problems;
  if (!result.ok || problems.length > 0) throw new ConfigError(problems, file);
  return result.config;
}

function stagesIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yml'))
    .map((name) => name.slice(0, -'.yml'.length))
    .sort();
}
