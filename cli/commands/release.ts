import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { systemClock } from '../../core/adapters/clock.ts';
import type { Lease } from '../../core/domain/lease.ts';
import { leasesIn } from '../../core/leases/lease-store.ts';
import { StateUnavailable } from '../../core/ports/state-store.ts';
import { readState } from '../../core/reconcile/snapshot.ts';
import { isLeaseKey } from '../../core/state/keys.ts';
import { EXIT } from '../exit.ts';
import { interruption } from '../interrupt.ts';
import {
  chosenInstances,
  loadConfig,
  type PlaceOptions,
  remindOfFile,
  stateStore,
  warnOfClearText,
  withPlaceOptions,
} from '../options.ts';
import { printer } from '../output.ts';
import { stderrLog, terminalPorts } from '../ports.ts';
import { giveBackAll, isWanted } from '../release.ts';
import { adviceLines, keptLines, releasedLines } from '../render/release.ts';

interface ReleaseOptions extends PlaceOptions {
  readonly color: boolean;
  readonly verbose?: boolean;
}

export function addRelease(program: Command): void {
  withPlaceOptions(program.command('release'))
    .argument('[instance...]', 'ids of the config; without one: every lease there is')
    .summary('give every lease back, now')
    .description(
      'Switches off the active defrag that Offpeak has on, restores every setting and drops the leases: for the day on which' +
        ' the stack is removed, or on which it is in the way. No purge follows. Exit status 1 when a lease could not be given' +
        ' back; what to type on that server is said then.',
    )
    .option('--no-color', 'no colours (NO_COLOR does the same)')
    .option('-v, --verbose', 'log every outcome on stderr')
    .action(release);
}

async function release(ids: readonly string[], options: ReleaseOptions): Promise<void> {
  const { config } = loadConfig(options);
  warnOfClearText(config);
  const { signal } = interruption(() => process.stderr.write('\noffpeak: interrupted: finishing what is under way\n'));
  const store = stateStore(options, config.stage);
  const known = await readState(store);
  // Before anything is given back: "no lease is held" must not be said of one that cannot be read.
  for (const [key, why] of known.unreadable) if (isLeaseKey(key)) throw new StateUnavailable(why);
  const held = leasesIn(known);
  // A lease may stand on an instance that the config no longer names.
  chosenInstances(
    config,
    ids.filter((id) => !held.some(({ instance }) => instance === id)),
    'release',
  );
  remindOfFile(options, config.stage);
  const { ports, told } = terminalPorts(store, systemClock({ signal }), stderrLog(options));
  const nodes = config.instances.filter(({ id }) => ids.includes(id)).flatMap((instance) => instance.nodes);
  // An instance may have had another name when its lease was taken.
  const isChosen = ({ instance, node }: Lease) => ids.includes(instance) || nodes.some(({ id }) => id === node);
  const wanted = held.filter((lease) => ids.length === 0 || isChosen(lease));
  const print = printer(options, config, told);
  const { ticks, state } = await giveBackAll(config, ports, wanted, { holder: randomUUID(), signal, print });
  const kept = leasesIn(state).filter((lease) => isWanted(lease, wanted));
  const lines = [
    ...releasedLines(wanted, kept),
    ...keptLines(kept, ticks, config),
    ...adviceLines(wanted, config, state, ports.clock.now()),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  process.exitCode = signal.aborted ? EXIT.interrupted : kept.length > 0 ? EXIT.failed : EXIT.fine;
}
