import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { kill9 } from '../state-contenders.ts';
import { type Kind, mixedKind, type Ports, startFleet } from './servers.ts';

/** A fleet in a process of its own: its CPU and its sockets are not those of the job. */
interface FleetProcess extends AsyncDisposable {
  readonly ports: Ports;
  /** Connections that were open at once, at most, since the last call; and commands so far that changed something. */
  counts(): Promise<{ readonly peak: number; readonly changes: number }>;
}

/** Which nodes answer, and which of them want to be acted on. */
export function kindOf(mix: 'healthy' | 'mixed', index: number): Kind {
  return mix === 'mixed' ? mixedKind(index) : 'healthy';
}

export async function startFleetProcess(mix: 'healthy' | 'mixed'): Promise<FleetProcess> {
  const child = fork(fileURLToPath(import.meta.url), [mix], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [ports] = (await once(child, 'message')) as [Ports];
  return {
    ports,
    async counts() {
      child.send('counts');
      const [counts] = await once(child, 'message');
      return counts;
    },
    [Symbol.asyncDispose]: () => kill9(child),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const fleet = await startFleet(
    (index) => kindOf(process.argv[2] === 'mixed' ? 'mixed' : 'healthy', index) === 'acting',
  );
  process.on('message', () => process.send?.({ peak: fleet.peak(), changes: fleet.changes() }));
  process.on('disconnect', () => process.exit());
  process.send?.(fleet.ports);
}
