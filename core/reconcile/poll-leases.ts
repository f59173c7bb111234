import type { Config } from '../config/schema.ts';
import { MINUTE, type Milliseconds, SECOND } from '../config/units.ts';
import type { Ports } from '../ports/ports.ts';
import type { Tick, TickOptions } from './scope.ts';
import { tick } from './tick.ts';

/** How often a defrag that we have started is looked at: its stalls are judged, and its end is noticed, this soon. */
const EVERY: Milliseconds = 5 * SECOND;
/** What the last steps of a defrag can take: restore, purge, settle or decay, tell. */
const CLOSING: Milliseconds = 60 * SECOND;
/** For longer than this no defrag runs unseen: nobody would know of its stalls, and end it with its window. */
const UNSEEN: Milliseconds = 5 * MINUTE;

/**
 * One tick of everything, then the leased nodes alone for as long as this invocation lasts. A defrag that ends in seconds does not
 * stay on until the next schedule; one that takes longer is the next invocation's, or is ended where that is far off.
 */
export async function pollLeases(config: Config, ports: Ports, options: TickOptions): Promise<readonly Tick[]> {
  const { every } = config.schedule;
  const atFirst = options.remaining();
  // By the time that is left, which does not jump as a clock may.
  const untilNext = () => every - (atFirst - options.remaining());
  const isFollowed = every - atFirst <= UNSEEN;
  const attended = isFollowed ? options : { ...options, attended: () => options.remaining() - CLOSING };
  const ticks = [await tick(config, ports, attended)];
  let leased = ticks[0]?.leased ?? [];
  while (leased.length > 0 && options.remaining() > CLOSING) {
    await ports.clock.pause(EVERY);
    const latest = await tick(config, ports, { ...options, scope: { kind: 'leased-nodes', nodes: leased } });
    ticks.push(latest);
    // A tick that could not read the state does not know of leases: those before it still stand.
    if (latest.problem === undefined) leased = latest.leased;
  }
  if (leased.length > 0 && untilNext() > UNSEEN) {
    const scope = { kind: 'leased-nodes', nodes: leased } as const;
    ticks.push(await tick(config, ports, { ...options, scope, release: 'duration-spent' }));
  }
  return ticks;
}
