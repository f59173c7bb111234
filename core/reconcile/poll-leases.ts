import type { Config } from '../config/schema.ts';
import { CLOSING, POLL, UNWATCHED } from '../domain/timings.ts';
import type { Ports } from '../ports/ports.ts';
import type { Tick, TickOptions } from './scope.ts';
import { tick } from './tick.ts';

/**
 * One tick of everything, then the leased nodes alone for as long as this invocation lasts. A defrag that ends in seconds does not
 * stay on until the next schedule; one that takes longer is the next invocation's, or is ended where that is far off.
 */
export async function pollLeases(config: Config, ports: Ports, options: TickOptions): Promise<readonly Tick[]> {
  const { every } = config.schedule;
  const atFirst = options.remaining();
  // By the time that is left, which does not jump as a clock may.
  const untilNext = () => every - (atFirst - options.remaining());
  const isFollowed = every - atFirst <= UNWATCHED;
  const attended = isFollowed ? options : { ...options, attended: () => options.remaining() - CLOSING };
  const ticks = [await tick(config, ports, attended)];
  let leased = ticks[0]?.leased ?? [];
  while (leased.length > 0 && options.remaining() > CLOSING) {
    await ports.clock.pause(POLL);
    const latest = await tick(config, ports, { ...options, scope: { kind: 'leased-nodes', nodes: leased } });
    ticks.push(latest);
    // A tick that could not read the state does not know of leases: those before it still stand.
    if (latest.problem === undefined) leased = latest.leased;
  }
  if (leased.length > 0 && untilNext() > UNWATCHED) {
    const scope = { kind: 'leased-nodes', nodes: leased } as const;
    ticks.push(await tick(config, ports, { ...options, scope, release: 'duration-spent' }));
  }
  return ticks;
}
