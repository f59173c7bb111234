import fc from 'fast-check';
import { HOUR, MINUTE } from '../../core/config/units.ts';
import { inventoryKey } from '../../core/state/keys.ts';
import { EVERY_INSTANCE, endPause, putPause } from '../../core/state/pauses.ts';
import { configOf } from '../support/job.ts';
import { ofCaches, restCaches } from './caches-commands.ts';
import { isWindowOpen } from './calendar.ts';
import { Command, type Commands, fatal, isFlaky, node, nodesOf, on, onOurs, own, tickAndJudge } from './command.ts';
import { CACHES, CART, EVERY_INSTANCE_OF_MODEL, fleetYaml, NAMED, nodeName } from './fleet.ts';
import { CART_SERVERS, GARBLED, giveRoles, move, resharded, SHARDS_AT_REST, type Shards } from './group.ts';
import { instanceOf, isPromiseKept, isTheirsAgain, restart } from './invariants.ts';
import { queued } from './queue.ts';
import { HEAVY, MANY, QUIET } from './server.ts';
import type { LiveWorld } from './world.ts';

/** What the schedule and the data do: more often than all else. */
const usual: Commands = [
  fc.tuple(fc.integer({ min: 1, max: 20 }), fatal).map(
    ([minutes, fatal]) =>
      new Command(
        `tick after ${minutes} min${fatal ? `, killed ${fatal.when} effect ${fatal.effect}` : ''}`,
        async (world) => {
          world.pass(minutes * MINUTE);
          await tickAndJudge(world, fatal);
        },
      ),
  ),
  fc.tuple(fc.integer({ min: 1, max: 10 }), fatal).map(
    ([minutes, fatal]) =>
      new Command(
        `two ticks at once after ${minutes} min${fatal ? `, one killed ${fatal.when} effect ${fatal.effect}` : ''}`,
        async (world) => {
          world.pass(minutes * MINUTE);
          world.overlaps++;
          const [isAlive] = await Promise.all([world.run(fatal), world.run()]);
          if (isAlive) isTheirsAgain(world);
          else world.overwritten.splice(0);
        },
      ),
  ),
  fc.constantFrom(...EVERY_INSTANCE_OF_MODEL).map(
    ({ id, window }) =>
      new Command(`until the window of ${id} is open`, (world) => {
        for (let steps = 0; steps < 150 && !isWindowOpen(world.now, window); steps++) world.pass(10 * MINUTE);
      }),
  ),
  fc.integer({ min: 1, max: 14 }).map((hours) => new Command(`${hours} h pass`, (world) => world.pass(hours * HOUR))),
  fc
    // Now and then more than any defrag closes before its time is over.
    .tuple(node, fc.oneof({ weight: 3, arbitrary: fc.integer({ min: 20, max: 400 }) }, fc.constant(100_000)))
    .map(
      ([name, mib]) =>
        new Command(`${mib} MiB of holes on ${name}`, (world) => on(world, name).fragment(mib * 2 ** 20)),
    ),
  fc
    .tuple(node, fc.integer({ min: 20, max: 900 }))
    .map(
      ([name, mib]) =>
        new Command(`${mib} MiB of free pages on ${name}`, (world) => on(world, name).retain(mib * 2 ** 20, world.now)),
    ),
  fc
    .tuple(node, fc.constantFrom(QUIET, QUIET, HEAVY, MANY))
    .map(
      ([name, traffic]) =>
        new Command(`${name} has ${traffic.opsPerSecond} commands/s of ${traffic.cost} ms`, (world) =>
          Object.assign(on(world, name), traffic),
        ),
    ),
];

const typed = fc.constantFrom<readonly [string, string]>(
  ['activedefrag', 'yes'],
  ['activedefrag', 'no'],
  ['hz', '20'],
  ['hz', '50'],
  ['active-defrag-cycle-max', '60'],
  ['active-defrag-ignore-bytes', '1000'],
);

const answer = fc.constantFrom('garbage', 'errors', undefined);

/** What happens in the middle of a defrag, which few others would hit. */
const underway: Commands = [
  fc.constant(
    new Command('a server under our defrag restarts', (world) => onOurs(world, (name) => restart(world, name))),
  ),
  fc.tuple(fc.constantFrom('garbage', 'errors'), fc.boolean(), fc.integer({ min: 1, max: 10 })).map(
    ([answersWith, restarts, minutes]) =>
      new Command(
        `a server under our defrag answers with ${answersWith}${restarts ? ', and restarts' : ''}; tick after ${minutes} min`,
        async (world) => {
          onOurs(world, (name) => {
            Object.assign(on(world, name), { answersWith });
            if (restarts) restart(world, name);
          });
          world.pass(minutes * MINUTE);
          await tickAndJudge(world, undefined);
        },
      ),
  ),
  typed.map(
    ([setting, value]) =>
      new Command(`a human types CONFIG SET ${setting} ${value} on a server under our defrag`, (world) =>
        onOurs(world, (name) => {
          if (!on(world, name).traits.isManaged) on(world, name).set(setting, value, 'human');
        }),
      ),
  ),
];

/** What happens to servers, people and clouds. */
const unusual: Commands = [
  fc
    .tuple(own, typed)
    .map(
      ([name, [setting, value]]) =>
        new Command(`a human types CONFIG SET ${setting} ${value} on ${name}`, (world) =>
          on(world, name).set(setting, value, 'human'),
        ),
    ),
  own.map((name) => new Command(`CONFIG REWRITE on ${name}`, (world) => on(world, name).rewrite())),
  fc.tuple(fc.constantFrom('solo', 'trio', 'old'), fc.boolean()).map(
    ([id, is]) =>
      new Command(`${id} is called ${is ? 'something else' : 'as before'}`, (world) => {
        world.config = configOf(
          fleetYaml(
            NAMED.map((one) => (is && one.id === id ? { ...one, id: `${id}-x` } : one)),
            [CART, CACHES],
            world.cloud.service,
          ),
        );
      }),
  ),
  fc.constant(
    new Command('a backup of the table is made', (world) => {
      world.backup = structuredClone([...world.documents]);
    }),
  ),
  fc.boolean().map(
    (is) =>
      new Command(`the table is ${is ? 'lost' : 'restored from its backup'}`, (world) => {
        if (!is && world.backup.length === 0) return;
        world.hasLostTable = true;
        world.documents.clear();
        world.group.known = undefined;
        if (!is) for (const [key, stored] of structuredClone(world.backup)) world.documents.set(key, stored);
      }),
  ),
  node.map((name) => new Command(`${name} restarts`, (world) => restart(world, name))),
  fc
    .tuple(node, fc.boolean())
    .map(
      ([name, is]) =>
        new Command(`${name} is ${is ? '' : 'un'}reachable`, (world) =>
          Object.assign(on(world, name), { reachable: is }),
        ),
    ),
  fc
    .tuple(node, fc.boolean())
    .map(
      ([name, is]) =>
        new Command(`${name} has ${is ? 'a' : 'no'} fork child`, (world) =>
          Object.assign(on(world, name), { forking: is }),
        ),
    ),
  fc
    .tuple(node, fc.constantFrom(0, 3, 20, 200))
    .map(
      ([name, took]) =>
        new Command(`defrag cycles on ${name} take ${took} ms`, (world) =>
          Object.assign(on(world, name), { cycleTook: took }),
        ),
    ),
  fc.constantFrom(1, 2).map(
    (replica) =>
      new Command(`trio fails over to its node ${replica}`, (world) => {
        for (const [name, server] of world.servers) {
          if (instanceOf(name).id === 'trio') server.role = name === nodeName('trio', replica) ? 'primary' : 'replica';
        }
      }),
  ),
  fc.boolean().map(
    (is) =>
      new Command(`the first two addresses of trio lead to ${is ? 'each other' : 'themselves'}`, (world) => {
        const [a, b] = [nodeName('trio', 0), nodeName('trio', 1)];
        world.answering.set(a, is ? b : a).set(b, is ? a : b);
        world.hasMoved ||= is;
      }),
  ),
  fc.boolean().map(
    (is) =>
      new Command(`the last address of trio leads to ${is ? 'its second server' : 'itself'}`, (world) => {
        const [b, c] = [nodeName('trio', 1), nodeName('trio', 2)];
        world.answering.set(c, is ? b : c);
        world.hasMoved ||= is;
      }),
  ),
  fc
    .tuple(node, answer)
    .map(
      ([name, answersWith]) =>
        new Command(`${name} answers with ${answersWith ?? 'what it is asked for'}`, (world) =>
          Object.assign(on(world, name), { answersWith }),
        ),
    ),
  fc.constant(
    new Command('a newer version has taken the leases, and was rolled back', (world) => {
      for (const [key, { value, version }] of world.documents) {
        const lease = value as { readonly phase?: string; readonly progress?: unknown };
        if (!/^lease#[^#]+$/.test(key) || lease.phase !== 'running') continue;
        world.documents.set(key, { value: { ...lease, phase: 'coasting', progress: { form: 2 } }, version });
      }
    }),
  ),
  fc
    .boolean()
    .map(
      (is) => new Command(`the store is ${is ? 'down' : 'up'}`, (world) => Object.assign(world.trouble, { down: is })),
    ),
  fc.boolean().map(
    (is) =>
      new Command(`the store takes ${is ? 'no writes' : 'writes'}`, (world) => {
        world.trouble.readOnly = is;
        world.wasReadOnly ||= is;
      }),
  ),
  fc.constant(
    new Command('the next conditional write loses', (world) => Object.assign(world.trouble, { losesNext: true })),
  ),
  fc
    .boolean()
    .map(
      (is) => new Command(`the topic is ${is ? 'down' : 'up'}`, (world) => Object.assign(world.topic, { isDown: is })),
    ),
  fc.tuple(fc.constantFrom('solo', 'trio', 'cart', 'caches', EVERY_INSTANCE), fc.integer({ min: 1, max: 6 })).map(
    ([scope, hours]) =>
      new Command(`pause ${scope} for ${hours} h`, async (world) => {
        if (world.trouble.down || world.trouble.readOnly || isFlaky(world.trouble)) return;
        await putPause(world.store, scope, {
          until: world.now + hours * HOUR,
          reason: 'release',
          by: 'sre',
          at: world.now,
          ...(scope !== EVERY_INSTANCE && { nodes: nodesOf(scope) }),
        });
      }),
  ),
  fc.constantFrom('solo', 'trio', 'cart', 'caches', EVERY_INSTANCE).map(
    (scope) =>
      new Command(`resume ${scope}`, async (world) => {
        if (!world.trouble.down && !world.trouble.readOnly && !isFlaky(world.trouble))
          await endPause(world.store, scope);
      }),
  ),
  fc.constant(
    new Command('release', async (world) => {
      await world.run(undefined, { release: 'released' });
      isTheirsAgain(world);
    }),
  ),
  fc.tuple(own, typed, fc.integer({ min: 1, max: 60 })).map(
    ([name, [setting, value], effect]) =>
      new Command(
        `tick after 5 min, and before its effect ${effect} a human types CONFIG SET ${setting} ${value} on ${name}`,
        async (world) => {
          world.pass(5 * MINUTE);
          const step = () => on(world, name).set(setting, value, 'human');
          await tickAndJudge(world, undefined, { effect, step });
        },
      ),
  ),
  fc
    .tuple(
      fc.constantFrom('failsOn', 'answerLostOn'),
      fc.constantFrom('lease#', 'history#', 'run#', 'outbox#', 'brakes'),
      fc.integer({ min: 1, max: 3 }),
    )
    .map(
      ([how, key, times]) =>
        new Command(
          `the next ${times} changes of a ${key} ${how === 'failsOn' ? 'fail' : 'are not answered'}`,
          (world) => Object.assign(world.trouble, { failsOn: undefined, answerLostOn: undefined, [how]: key, times }),
        ),
    ),
];

const member = fc.constantFrom(...CART_SERVERS);

/** What happens to the Cluster whose nodes are found, and to whoever asks for them. */
const ofGroup: Commands = [
  fc
    .tuple(member, fc.integer({ min: 0, max: 4 }))
    .map(
      ([server, to]) =>
        new Command(`${server} ${to === 4 ? 'leaves its Cluster' : `is in shard ${to} of its Cluster`}`, (world) =>
          reshard(world, resharded(world.group.shards, server, to)),
        ),
    ),
  fc.integer({ min: 0, max: 4 }).map(
    (to) =>
      new Command(`a server under our defrag ${to === 4 ? 'leaves its Cluster' : `goes to shard ${to}`}`, (world) =>
        onOurs(world, (server) => {
          if (CART_SERVERS.includes(server)) reshard(world, resharded(world.group.shards, server, to));
        }),
      ),
  ),
  fc.integer({ min: 0, max: 2 }).map(
    (index) =>
      new Command(`shard ${index} fails over`, (world) =>
        reshard(
          world,
          world.group.shards.map((its, one) => (one === index ? [...its.slice(1), ...its.slice(0, 1)] : its)),
        ),
      ),
  ),
  fc.tuple(member, fc.boolean()).map(
    ([server, is]) =>
      new Command(`${server} answers at ${is ? 'another' : 'its own'} address`, (world) => {
        move(world, server, is);
        world.hasMoved ||= is;
      }),
  ),
  fc
    .boolean()
    .map(
      (is) =>
        new Command(`the discovery ${is ? 'fails' : 'works'}`, (world) =>
          Object.assign(world.group, { isFailing: is }),
        ),
    ),
  fc
    .boolean()
    .map(
      (is) =>
        new Command(`a failover of the Cluster is ${is ? 'under way' : 'over'}`, (world) =>
          Object.assign(world.group, { isUnsettled: is }),
        ),
    ),
  fc.boolean().map(
    (is) =>
      new Command(`the inventory is ${is ? 'garbled' : 'lost'}`, (world) => {
        const key = inventoryKey('cart');
        const version = world.documents.get(key)?.version;
        if (is && version !== undefined) world.documents.set(key, { value: GARBLED, version });
        if (!is) world.documents.delete(key);
        world.group.known = undefined;
      }),
  ),
];

export const commands: Commands = [
  ...[...usual, ...usual, ...usual],
  ...[...underway, ...underway, ...underway],
  ...unusual,
  ...[...ofGroup, ...ofGroup],
  ...[...ofCaches, ...ofCaches],
  ...[...queued, ...queued, ...queued],
];

function reshard(world: LiveWorld, shards: Shards): void {
  world.group.shards = shards;
  giveRoles(shards, world.servers);
}

/** The world comes to rest: everything works again, every window closes, and the schedule goes on. Then nothing may be left. */
export async function comeToRest(world: LiveWorld): Promise<void> {
  Object.assign(world.trouble, {
    down: false,
    readOnly: false,
    losesNext: false,
    failsOn: undefined,
    answerLostOn: undefined,
  });
  world.topic.isDown = false;
  for (const [name, server] of world.servers) {
    world.answering.set(name, name);
    Object.assign(server, { reachable: true, answersWith: undefined, forking: false, ...QUIET });
  }
  for (const server of CART_SERVERS) move(world, server, false);
  reshard(world, SHARDS_AT_REST);
  Object.assign(world.group, { isFailing: false, isUnsettled: false });
  restCaches(world);
  const isAnyOpen = () => EVERY_INSTANCE_OF_MODEL.some(({ window }) => isWindowOpen(world.now, window));
  // Starts that may still be under way are waited for.
  const isAwaited = () =>
    [...world.documents.values()].some(({ value }) => (value as { closing?: string }).closing === 'never-started');
  for (let tick = 0; tick < 3 || isAnyOpen() || (isAwaited() && tick < 100); tick++) {
    world.pass(isAnyOpen() ? HOUR : 5 * MINUTE);
    await tickAndJudge(world, undefined);
  }
  isPromiseKept(world);
}
