import fc from 'fast-check';
import { MINUTE } from '../../core/config/units.ts';
import { Command, type Commands, type Fatal, fatal, on, ours } from './command.ts';
import { count, instanceOf, isTheirsAgain, restart, waitingFor } from './invariants.ts';
import type { LiveWorld } from './world.ts';

/** A queue: each letter once, never, or again; in any order; two workers at once; and those of an earlier tick, which are too late. */
export const queued: Commands = [
  fc
    .tuple(fc.integer({ min: 1, max: 9 }), fc.array(fc.nat(20), { minLength: 2, maxLength: 14 }), fc.boolean(), fatal)
    .map(
      ([minutes, order, isInPairs, fatal]) =>
        new Command(
          `a dispatch after ${minutes} min, letters ${order.join(' ')}${isInPairs ? ' in pairs' : ''}${fatal ? `, one killed ${fatal.when} effect ${fatal.effect}` : ''}`,
          async (world) => {
            world.pass(minutes * MINUTE);
            const late = world.letters.slice(0, 2);
            world.letters = await world.handOut();
            const letters = order.flatMap((index) => world.letters[index % world.letters.length] ?? []);
            await deliverAll(world, letters, { isInPairs, fatal });
            if (minutes >= 5 && late.length > 0) await deliverLate(world, late);
          },
        ),
    ),
  // Few others would hit it: no tick has seen the server since, and each worker but its own knows its lease alone.
  fc.tuple(fc.integer({ min: 1, max: 9 }), fc.constantFrom('restarts', 'goes away', 'answers with errors')).map(
    ([minutes, what]) =>
      new Command(
        `a server under our defrag ${what}, and after ${minutes} min its letter comes last`,
        async (world) => {
          const fallen = ours(world)[0];
          if (fallen === undefined) return;
          if (what === 'restarts') restart(world, fallen);
          else
            Object.assign(on(world, fallen), what === 'goes away' ? { reachable: false } : { answersWith: 'errors' });
          world.pass(minutes * MINUTE);
          world.letters = await world.handOut();
          const [early = [], last = []] = [false, true].map((is) =>
            world.letters.filter((letter) => isAbout(letter, fallen) === is),
          );
          if (waitingFor(world, fallen).some((name) => early.some((letter) => isAbout(letter, name))))
            count(world, 'S4 a version that fell, in a later letter');
          await deliverAll(world, [...early, ...last], { isInPairs: false, fatal: undefined });
        },
      ),
  ),
];

function isAbout(letter: string, server: string): boolean {
  const { instances } = JSON.parse(letter) as { readonly instances: readonly { readonly id: string }[] };
  return instances.some(({ id }) => id === instanceOf(server).id);
}

async function deliverAll(
  world: LiveWorld,
  letters: readonly string[],
  { isInPairs, fatal }: { readonly isInPairs: boolean; readonly fatal: Fatal },
): Promise<void> {
  world.overlaps += letters.length;
  const taken = new Set<string>();
  const size = isInPairs ? 2 : 1;
  for (let index = 0; index < letters.length; index += size) {
    const some = letters.slice(index, index + size);
    const { length } = world.deeds;
    const isAgain = some.every((letter) => taken.has(letter));
    const isAlive = await Promise.all(
      some.map((letter, one) => world.deliver(letter, index + one === 0 ? fatal : undefined)),
    );
    if (isAlive.every(Boolean)) isTheirsAgain(world);
    else world.overwritten.splice(0);
    const { down, readOnly, failures } = world.trouble;
    // A letter that the store could not note is no letter that came before.
    if (!down && !readOnly && failures === 0 && isAlive.every(Boolean)) for (const letter of some) taken.add(letter);
    const hasActed = world.deeds.length > length;
    if (hasActed) count(world, 'S4 a worker that acts');
    if (isAgain) count(world, 'S4 a letter that comes again');
    if (isAgain && hasActed) world.violations.push('S4: a letter was acted on twice');
  }
}

async function deliverLate(world: LiveWorld, letters: readonly string[]): Promise<void> {
  const { length } = world.deeds;
  for (const letter of letters) await world.deliver(letter);
  count(world, 'S1 a letter that is late');
  if (world.deeds.length > length) world.violations.push('S1: a letter of an earlier tick was acted on');
}
