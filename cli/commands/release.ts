import { systemClock } from '../../core/adapters/clock.ts';
import { isNamed, nodesOf } from '../../core/config/fleet.ts';
import type { Config } from '../../core/config/schema.ts';
import type { Lease } from '../../core/domain/lease.ts';
import { covers } from '../../core/domain/pause.ts';
import { chosenLeases, placesOf, stillHeld, waitBefore } from '../../core/guards/release.ts';
import { leasesIn } from '../../core/leases/lease-store.ts';
import type { Ports } from '../../core/ports/ports.ts';
import { type StateStore, StateUnavailable } from '../../core/ports/state-store.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { readState, type State } from '../../core/reconcile/snapshot.ts';
import { tick } from '../../core/reconcile/tick.ts';
import { isLeaseKey } from '../../core/state/keys.ts';
import { commandLineFor } from '../command-line.ts';
import { EXIT } from '../exit.ts';
import { chosenInstances, fleetNow } from '../fleet.ts';
import { holderName } from '../holder.ts';
import { interruption } from '../interrupt.ts';
import { leftOn, NOTHING_ON } from '../left-on.ts';
import type { ReleaseOptions } from '../options.ts';
import { printer } from '../output.ts';
import { loadConfig, remindOfFile, stateStore, stateText, warnOfClearText } from '../place.ts';
import { stderrLog, terminalPorts } from '../ports.ts';
import { chosenGroups, releaseGroups } from '../release-groups.ts';
import { adviceLines, keptLines, releasedLines } from '../render/release.ts';

export async function release(ids: readonly string[], options: ReleaseOptions): Promise<void> {
  const { config: written } = loadConfig(options);
  warnOfClearText(written);
  const { signal } = interruption(() => process.stderr.write('\noffpeak: interrupted: finishing what is under way\n'));
  const store = await stateStore(options, written.stage);
  const before = await readableState(store, written);
  const held = leasesIn(before);
  const groups = await chosenGroups(store, ids);
  const { ports, published } = await terminalPorts(store, systemClock({ signal }), stderrLog(options));
  const config = await fleetNow(written, ports, before);
  // A lease may stand on an instance that the config no longer names.
  const named = chosenInstances(
    config.instances,
    ids.filter(
      (id) => ![...held, ...groups.flatMap(({ nodes }) => nodes)].some(({ instance }) => covers(id, instance)),
    ),
    'release',
  );
  remindOfFile(options, config.stage);
  const wanted = chosenLeases(held, ids, config);
  const print = printer(options, published);
  const means = { holder: holderName('release'), signal, print };
  const { ticks, state } = await releaseAll(config, ports, wanted, means);
  const ofGroups = await releaseGroups(written, ports, groups, means);
  const kept = stillHeld(leasesIn(state), wanted);
  const searched = {
    place: `stage ${config.stage}${ids.length === 0 ? '' : ` for ${ids.join(', ')}`}`,
    state: `${stateText(options, config.stage)} (config ${options.config})`,
  };
  const lines = [
    ...(wanted.length === 0 && groups.length > 0 ? [] : releasedLines(wanted, kept, searched)),
    ...ofGroups.lines,
    ...keptLines(kept, ticks, config),
    ...adviceLines(wanted, config, state, { now: ports.clock.now(), commandLine: commandLineFor(options) }),
  ];
  const asked = ids.length === 0 ? config.instances : named;
  const { on, unasked, isOwn } = wanted.length + groups.length > 0 ? NOTHING_ON : await leftOn(config, ports, asked);
  process.stdout.write(`${[...lines, ...on, ...unasked].join('\n')}\n`);
  const isBad = kept.length > 0 || !ofGroups.isDone || isOwn || unasked.length > 0;
  process.exitCode = signal.aborted ? EXIT.interrupted : isBad ? EXIT.failed : EXIT.fine;
}

/** Ends the wanted leases, node by node as the config reaches them. What is still held afterwards is in the state. */
async function releaseAll(
  config: Config,
  ports: Ports,
  wanted: readonly Lease[],
  { holder, signal, print }: { readonly holder: string; readonly signal: AbortSignal; print(tick: Tick): void },
): Promise<{ readonly ticks: readonly Tick[]; readonly state: State }> {
  const ticks: Tick[] = [];
  const remaining = () => Number.MAX_SAFE_INTEGER;
  const options = { mode: 'act', holder, remaining, release: 'released', interrupted: () => signal.aborted } as const;
  let state = await readState(ports.store, nodesOf(config));
  for (let round = 0; !signal.aborted; round++) {
    const left = stillHeld(leasesIn(state), wanted).filter((lease) => isNamed(lease.node, config));
    const wait = waitBefore(round, left, ports.clock.now());
    if (wait === undefined) break;
    if (wait > 0) await ports.clock.pause(wait);
    const latest = await tick(config, ports, { ...options, scope: { kind: 'nodes', nodes: placesOf(left, config) } });
    print(latest);
    ticks.push(latest);
    state = await readState(ports.store, nodesOf(config));
  }
  return { ticks, state };
}

/** "Offpeak has no defrag on" must not be said of a lease that cannot be read. @throws {StateUnavailable} */
async function readableState(store: StateStore, config: Config): Promise<State> {
  const state = await readState(store, nodesOf(config));
  for (const [key, why] of state.unreadable) if (isLeaseKey(key)) throw new StateUnavailable(why);
  return state;
}
