import pLimit from 'p-limit';
import { NodeFailure, type OpenSession } from '../../core/ports/node-session.ts';

/** So few share the processor that each has its answer in time on all but the slowest of machines; the rest is tried again. */
const AT_ONCE = 8;

/**
 * For nodes that the test's own process answers for, which never lets one wait: a check that is out of time says only that this process had no
 * processor, and is made again. A node that is to be silent closes its connections, which is another failure.
 */
export function patient(open: OpenSession): OpenSession {
  const turns = pLimit(AT_ONCE);
  return async (instance, node, signal) => {
    const opened = () => open(instance, node, signal);
    let session = await turns(() => untilInTime(opened));
    const look = () =>
      untilInTime(
        () => session.look(),
        async () => {
          session = await untilInTime(opened);
        },
      );
    return { ...session, look: () => turns(look), close: () => session.close() };
  };
}

/** @param again what a new try needs */
async function untilInTime<T>(attempt: () => Promise<T>, again: () => Promise<void> = async () => {}): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof NodeFailure) || error.kind !== 'timeout') throw error;
      await again();
    }
  }
}
