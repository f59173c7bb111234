import fc from 'fast-check';
import { MINUTE, SECOND } from '../../core/config/units.ts';
import { CACHE_SERVERS, CLUSTERS, type ClusterOfModel, DEFAULT_GROUP, GROUP, type TroubleOfAws } from './caches.ts';
import { isWindowOpen } from './calendar.ts';
import { Command, type Commands, fatal, on, tickAndJudge } from './command.ts';
import { CACHES } from './fleet.ts';
import type { ParameterName } from './parameter-group.ts';
import type { LiveWorld } from './world.ts';

const cluster = fc.constantFrom(...CLUSTERS);

function inCluster(world: LiveWorld, name: string): ClusterOfModel {
  const found = world.cloud.clusters.get(name);
  if (!found) throw new Error(`no cluster ${name}`);
  return found;
}

const typed = fc.constantFrom<readonly [ParameterName, string]>(
  ['activedefrag', 'yes'],
  ['activedefrag', 'no'],
  ['active-defrag-cycle-max', '60'],
  ['active-defrag-threshold-lower', '33'],
  ['active-defrag-ignore-bytes', '200000000'],
);

/** What happens to a parameter group, to the clusters that use it, and to the answers of AWS. */
export const ofCaches: Commands = [
  // Its nodes are switched together: all of them have to be ready, and the stage needs a place for each.
  fc.tuple(fc.integer({ min: 1, max: 20 }), fatal).map(
    ([minutes, fatal]) =>
      new Command(
        `the caches are fragmented in their window; tick after ${minutes} min${fatal ? `, killed ${fatal.when} effect ${fatal.effect}` : ''}`,
        async (world) => {
          for (let steps = 0; steps < 150 && !isWindowOpen(world.now, CACHES.window); steps++) world.pass(10 * MINUTE);
          for (const name of CACHE_SERVERS) on(world, name).fragment(200 * 2 ** 20);
          world.pass(minutes * MINUTE);
          await tickAndJudge(world, fatal);
        },
      ),
  ),
  typed.map(
    ([name, value]) =>
      new Command(`a person sets ${name} ${value} in the parameter group`, (world) =>
        world.cloud.type(name, value, world.now),
      ),
  ),
  fc
    .boolean()
    .map(
      (is) =>
        new Command(`another team's cluster ${is ? 'uses' : 'leaves'} the parameter group`, (world) =>
          Object.assign(world.cloud, { isShared: is }),
        ),
    ),
  fc
    .tuple(cluster, fc.constantFrom(GROUP, GROUP, DEFAULT_GROUP))
    .map(
      ([name, group]) =>
        new Command(`${name} gets the parameter group ${group}`, (world) =>
          world.cloud.give(inCluster(world, name), group, world.now),
        ),
    ),
  fc
    .tuple(cluster, fc.constantFrom('isAvailable', 'isListed', 'isWatched'), fc.boolean())
    .map(
      ([name, what, is]) =>
        new Command(`${name} ${what}: ${is}`, (world) => Object.assign(inCluster(world, name), { [what]: is })),
    ),
  fc
    .boolean()
    .map(
      (is) =>
        new Command(`the discovery of the caches ${is ? 'fails' : 'works'}`, (world) =>
          Object.assign(world.cloud, { isFailing: is }),
        ),
    ),
  fc
    .constantFrom(0, 20, 300)
    .map(
      (seconds) =>
        new Command(`AWS applies parameters within ${seconds} s`, (world) =>
          Object.assign(world.cloud, { applies: seconds * SECOND }),
        ),
    ),
  fc
    .record<TroubleOfAws>({
      call: fc.constantFrom('read', 'users', 'set', 'reset'),
      how: fc.constantFrom('refused', 'unanswered', 'late'),
      times: fc.integer({ min: 1, max: 3 }),
    })
    .map(
      (trouble) =>
        new Command(`the next ${trouble.times} calls to ${trouble.call} are ${trouble.how}`, (world) =>
          Object.assign(world.cloud, { trouble: { ...trouble } }),
        ),
    ),
];

/** AWS works again, and the caches are as the config wants them. */
export function restCaches(world: LiveWorld): void {
  const { cloud } = world;
  Object.assign(cloud, { isShared: false, isFailing: false, applies: 20 * SECOND, trouble: undefined });
  for (const one of cloud.clusters.values()) {
    Object.assign(one, { isAvailable: true, isListed: true, isWatched: false });
    if (one.group !== GROUP) cloud.give(one, GROUP, world.now);
  }
}
