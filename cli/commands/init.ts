import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { systemClock } from '../../core/adapters/clock.ts';
import { auditFleet } from '../../core/reconcile/audit-fleet.ts';
import { WHOLE_FLEET } from '../../core/reconcile/scope.ts';
import { commandText, typedAgain } from '../command-line.ts';
import { entriesOf } from '../entries.ts';
import { EXIT } from '../exit.ts';
import { type InitOptions, UsageError } from '../options.ts';
import { stderrLog, terminalPorts } from '../ports.ts';
import { configText } from '../render/init-config.ts';
import { addressed, NO_STATE } from '../subject.ts';

/** Writes a config for these servers. Never over a file; nothing where no server answers. `-`: to stdout. */
export async function init(addresses: readonly string[], options: InitOptions): Promise<void> {
  const { config, ...access } = addressed('init', addresses, options);
  // Before any server is asked: that takes seconds.
  if (options.output !== '-' && existsSync(options.output)) throw alreadyThere(addresses, options);
  const { ports } = await terminalPorts(NO_STATE, systemClock(), stderrLog(options), access);
  const audit = await auditFleet(config, ports, { scope: WHOLE_FLEET, isConfigured: false });
  const entries = await entriesOf(audit.nodes, config, ports);
  const nodes = entries.flatMap((entry) => entry.nodes);
  const silent = nodes.filter(({ problem }) => problem !== undefined);
  for (const { node, problem } of silent) process.stderr.write(`offpeak: ${node}: ${problem?.message}\n`);
  if (entries.every((entry) => entry.place.kind === 'nodes' && entry.nodes.every(({ problem }) => problem))) {
    process.stderr.write('offpeak: nothing was written: no server answered\n');
    process.exitCode = EXIT.failed;
    return;
  }
  await write(addresses, options, configText(audit.at, entries, folderOf(options.output)));
  process.exitCode = silent.length > 0 ? EXIT.failed : EXIT.fine;
}

/** Paths of files begin there in what is written. */
function folderOf(output: string): string {
  return output === '-' ? '' : dirname(resolve(output));
}

/** Names of stages that are tried in turn for what can be typed in place of a file that is there. */
const OTHERS = ['prod.yml', 'staging.yml', 'test.yml'];

/** With what to type next. */
function alreadyThere(addresses: readonly string[], options: InitOptions): UsageError {
  const { output } = options;
  const free = OTHERS.map((name) => join(dirname(output), name)).find((file) => !existsSync(file));
  const next = commandText('init', ...typedAgain(addresses, options), '-o', free ?? 'another.yml');
  return new UsageError(`init: ${output} is there already, and is not overwritten. Type: ${next}`);
}

/** @throws {UsageError} where there is such a file already, or it cannot be written */
async function write(addresses: readonly string[], options: InitOptions, text: string): Promise<void> {
  const file = options.output;
  if (file === '-') {
    process.stdout.write(text);
    return;
  }
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw alreadyThere(addresses, options);
    throw new UsageError(
      `init: ${file} cannot be written (${code}); accepted: --output with a file in a folder that can be written`,
    );
  }
  process.stderr.write(`offpeak: ${file} is written. Next: npx offpeak check -c ${file}\n`);
}
