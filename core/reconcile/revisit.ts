import { type Milliseconds, SECOND } from '../config/units.ts';
import type { Observation } from '../domain/observation.ts';
import type { Clock } from '../ports/clock.ts';
import { NodeFailure, type OpenSession, type Session } from '../ports/node-session.ts';
import type { ReachedNode } from './observe-fleet.ts';

/** Behind a name another server answers than at the check before: nothing is done to it that was planned for the first. */
export class ServerReplaced extends NodeFailure {
  constructor(node: string) {
    super('unreachable', `${node}: another server answers than at the check before`);
  }
}

/**
 * A session with a server that was observed and whose connection was closed: it connects when it is used, and is only used if the same
 * process answers (`run_id`). The check that shows this is the first answer of `look`.
 */
export function revisit(open: OpenSession, { instance, node, observation: first }: ReachedNode): Session {
  let opened: Promise<{ readonly session: Session; readonly seen: Observation }> | undefined;
  const reopened = async () => {
    const session = await open(instance, node);
    try {
      const seen = await session.look();
      if (seen.runId !== first.runId) throw new ServerReplaced(node.id);
      return { session, seen };
    } catch (error) {
      session.close();
      throw error;
    }
  };
  const connected = async () => {
    opened ??= reopened();
    return (await opened).session;
  };
  return {
    async look() {
      if (opened) return continued(first, await (await connected()).look());
      opened = reopened();
      return continued(first, (await opened).seen);
    },
    examine: async (seen) => (await connected()).examine(seen),
    probeDefrag: async () => (await connected()).probeDefrag(),
    waits: async (duration) => (await connected()).waits(duration),
    inquire: async (seen, waited) => (await connected()).inquire(seen, waited),
    clusterLines: async () => (await connected()).clusterLines(),
    rewrites: async () => (await connected()).rewrites(),
    keys: async (seen) => (await connected()).keys(seen),
    // What is not open needs no PING.
    keepAlive: async () => (await opened)?.session.keepAlive(),
    configure: async (settings, options) => (await connected()).configure(settings, options),
    purge: async (timeout) => (await connected()).purge(timeout),
    close: () => void opened?.then(({ session }) => session.close()).catch(() => {}),
  };
}

/** With the commands of the first connection: those, and the INFO that it ended with, lie between the two observations. */
function continued({ activity: first }: Observation, seen: Observation): Observation {
  const ownCommands = first.ownCommands + 1 + seen.activity.ownCommands;
  return { ...seen, activity: { ...seen.activity, ownCommands } };
}

/** What was seen longer ago than this is not what will be acted on. */
const STALE: Milliseconds = 2 * SECOND;

/** A clock that was set back says nothing of the age. */
export function isStale({ at, monotonic }: Observation, clock: Pick<Clock, 'now' | 'elapsed'>): boolean {
  const now = clock.elapsed?.();
  const age = now === undefined || monotonic === undefined ? clock.now() - at : now - monotonic;
  return age < 0 || age > STALE;
}
