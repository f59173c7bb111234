import '../core/adapters/quiet.ts';
import { CommanderError } from 'commander';
import { EXIT } from './exit.ts';
import { createProgram } from './program.ts';

/**
 * Mistakes of the caller: their words are enough, a stack would hide them. By name, since loading the classes would load the SDK
 * before --version is printed.
 */
const USAGE_ERRORS = [
  'UsageError',
  'ConfigError',
  'EnvironmentError',
  'AwsEnvironmentError',
  'RedisServerSettingError',
];

/** A reader of stdout that has seen enough (`| head`) is not a failure; a full disk is. */
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') return;
  process.stderr.write(`offpeak: stdout: ${message}\n`);
  process.exitCode = EXIT.failed;
});
// When the terminal is gone, settings are still to be restored.
process.stderr.on('error', () => {});

try {
  await createProgram().parseAsync();
} catch (error) {
  const { text, code } = failureOf(error);
  process.stderr.write(text);
  process.exitCode = code;
}

/** Commander has printed its own. */
function failureOf(error: unknown): { readonly text: string; readonly code: number } {
  if (error instanceof CommanderError) return { text: '', code: error.exitCode === 0 ? EXIT.fine : EXIT.usage };
  if (!(error instanceof Error)) return { text: `offpeak: ${error}\n`, code: EXIT.failed };
  if (USAGE_ERRORS.includes(error.name)) return { text: `offpeak: ${error.message}\n`, code: EXIT.usage };
  const isExpected = error.name === 'StateUnavailable';
  return { text: `offpeak: ${isExpected ? error.message : error.stack}\n`, code: EXIT.failed };
}
