#!/usr/bin/env node
import '../functions/shared/quiet.ts';
import { Command, CommanderError } from 'commander';
import { AwsEnvironmentError } from '../functions/shared/aws/clients.ts';
import { ConfigError } from '../functions/shared/config/problem.ts';
import { EnvironmentError } from '../functions/shared/contracts/environment.ts';
import { StateUnavailable } from '../functions/shared/state/store.ts';
import { addCheck } from './commands/check.ts';
import { addDemo } from './commands/demo.ts';
import { addPause } from './commands/pause.ts';
import { addPlan } from './commands/plan.ts';
import { addRelease } from './commands/release.ts';
import { addResume } from './commands/resume.ts';
import { addRun } from './commands/run.ts';
import { EXIT } from './exit.ts';
import { RedisServerSettingError } from './lab/binary.ts';
import { UsageError } from './options.ts';

const program = new Command('offpeak')
  .description(
    'Keeps the memory of Redis and Valkey servers tidy: takes RSS apart, says which cure fits and what it will return,' +
      ' and carries it out inside a maintenance window, without breaking its word about latency.',
  )
  .version('0.1.0')
  .showHelpAfterError('(offpeak --help shows what there is)')
  .exitOverride()
  .addHelpText(
    'after',
    `
Examples:
  $ offpeak demo                                    fragments a Redis of its own and tidies it up before your eyes
  $ offpeak check -c config/prod.yml                where does the memory go? (never changes anything)
  $ offpeak plan -c config/prod.yml                 what would be done now, and why (or why not)
  $ offpeak plan -c config/prod.yml --at 2026-11-24T02:30:00+01:00
  $ offpeak run -c config/prod.yml                  one tick, as the schedule runs it
  $ offpeak run -c config/prod.yml --watch --until-idle   stays until everything is given back
  $ offpeak pause sessions --for 4h --reason "load test" -c config/prod.yml     watch only, until then or \`offpeak resume\`
  $ STATE_TABLE=… offpeak release -c config/prod.yml                             give back now what a deployed job holds

Exit status: 0 fine, 1 a node failed or was unreachable, 2 usage or config, 3 a defrag is left on (run), 130 interrupted.`,
  );

addCheck(program);
addPlan(program);
addRun(program);
addPause(program);
addResume(program);
addRelease(program);
addDemo(program);

/** Mistakes of the caller: their words are enough, a stack would hide them. */
const USAGE_ERRORS = [UsageError, ConfigError, EnvironmentError, AwsEnvironmentError, RedisServerSettingError];

/** A reader of stdout that has seen enough (`| head`) is no failure; a full disk is. */
process.stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (code === 'EPIPE') return;
  process.stderr.write(`offpeak: stdout: ${message}\n`);
  process.exitCode = EXIT.failed;
});
// With the terminal gone there is nobody left to tell, and leases are still to be given back.
process.stderr.on('error', () => {});

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.fine : EXIT.usage;
  } else if (USAGE_ERRORS.some((kind) => error instanceof kind)) {
    process.stderr.write(`offpeak: ${(error as Error).message}\n`);
    process.exitCode = EXIT.usage;
  } else if (error instanceof StateUnavailable) {
    process.stderr.write(`offpeak: ${error.message}\n`);
    process.exitCode = EXIT.failed;
  } else {
    process.stderr.write(`offpeak: ${error instanceof Error ? error.stack : error}\n`);
    process.exitCode = EXIT.failed;
  }
}
