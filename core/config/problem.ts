import { type Path, showPath, showValue } from './show.ts';

/** One thing that is wrong with a configuration. No field ever holds a secret. */
export interface ConfigProblem {
  /** Where: `instances[2].purge.minReclaim`; empty for the file itself. */
  readonly path: string;
  /** The value as written, shortened; `(hidden)` where it may be a secret. */
  readonly value: string;
  /** What would be right there. */
  readonly accepted: string;
  /** What is wrong, as a sentence without its full stop. */
  readonly message: string;
  /** Line in the file, from 1. */
  readonly line?: number;
}

/** A problem found by the schema or a rule, before the file adds the value and the line. */
export interface Finding {
  readonly path: Path;
  readonly accepted: string;
  /** The end of a sentence that begins with the value: "is not a size". */
  readonly refused?: string;
  /** The whole sentence, where it is not about the value alone. */
  readonly message?: string;
  /** Shown in place of the path and the value of an unknown key: beside a misspelt `password` stands the secret. */
  readonly instead?: { readonly path: string; readonly value: string };
}

/** Thrown where a valid configuration is required; `message` lists every problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], file?: string) {
    super(formatProblems(problems, file));
    this.problems = problems;
  }
}

/** One line for each problem: `config/prod.yml:12 instances[0].purge.minReclaim: … is not a size; accepted: …`. */
export function formatProblems(problems: readonly ConfigProblem[], file?: string): string {
  return problems
    .map(({ path, message, accepted, line }) => {
      const place = [formatPlace(file, line), path].filter((part) => part !== '').join(' ');
      return `${place}${place === '' ? '' : ': '}${message}; accepted: ${accepted}`;
    })
    .join('\n');
}

function formatPlace(file: string | undefined, line: number | undefined): string {
  if (file === undefined) return line === undefined ? '' : `line ${line}`;
  return line === undefined ? file : `${file}:${line}`;
}

/** Completes a finding with the value at its path and, when the file has it, the line. */
export function toProblem(finding: Finding, file: unknown, lineOf: (path: Path) => number | undefined): ConfigProblem {
  const { path, accepted } = finding;
  const found = valueAt(file, path);
  const value = finding.instead?.value ?? showValue(found, path);
  const line = lineOf(path);
  const message = finding.message ?? refusal(found, value, finding.refused ?? 'is not accepted');
  return {
    path: finding.instead?.path ?? showPath(path),
    value,
    accepted,
    message,
    ...(line !== undefined && { line }),
  };
}

function refusal(found: unknown, shown: string, refused: string): string {
  if (found === undefined) return 'is required';
  return found === null ? 'has no value' : `${shown} ${refused}`;
}

/** What stands at a path; only own keys count, so that `constructor` finds nothing. */
export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((at, key) => {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    return (at as Record<PropertyKey, unknown>)[key];
  }, root);
}
