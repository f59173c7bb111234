import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { systemClock } from '../../core/adapters/clock.ts';
import { auditFleet } from '../../core/reconcile/audit-fleet.ts';
import { WHOLE_FLEET } from '../../core/reconcile/scope.ts';
import { EXIT } from '../exit.ts';
import { type InitOptions, UsageError } from '../options.ts';
import { stderrLog, terminalPorts } from '../ports.ts';
import { configText } from '../render/init-config.ts';
import { addressed, NO_STATE } from '../subject.ts';

/** Writes a config for these servers. Never over a file; nothing where no server answers. `-`: to stdout. */
export async function init(addresses: readonly string[], options: InitOptions): Promise<void> {
  const { config, ...access } = addressed('init', addresses, options);
  const { ports } = await terminalPorts(NO_STATE, systemClock(), stderrLog(options), access);
  const audit = await auditFleet(config, ports, { scope: WHOLE_FLEET, isConfigured: false });
  const silent = audit.nodes.filter(({ problem }) => problem !== undefined);
  for (const { node, problem } of silent) process.stderr.write(`offpeak: ${node}: ${problem?.message}\n`);
  if (silent.length === audit.nodes.length) {
    process.stderr.write('offpeak: nothing was written: no server answered\n');
    process.exitCode = EXIT.failed;
    return;
  }
  await write(options.output, configText(audit, config, folderOf(options.output)));
  process.exitCode = silent.length > 0 ? EXIT.failed : EXIT.fine;
}

/** Paths of files begin there in what is written. */
function folderOf(output: string): string {
  return output === '-' ? '' : dirname(resolve(output));
}

/** @throws {UsageError} where there is such a file already, or it cannot be written */
async function write(file: string, text: string): Promise<void> {
  if (file === '-') {
    process.stdout.write(text);
    return;
  }
  try {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      code === 'EEXIST'
        ? `init: ${file} is there already, and is not overwritten; accepted: --output with another file, or - for stdout`
        : `init: ${file} cannot be written (${code}); accepted: --output with a file in a folder that can be written`,
    );
  }
  process.stderr.write(`offpeak: ${file} is written. Next: npx offpeak check -c ${file}\n`);
}
