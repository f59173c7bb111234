import { readdirSync } from 'node:fs';
import { aJob } from '../job.ts';
import { fleetConfig } from './config.ts';
import { kindOf } from './process.ts';

/**
 * The job as a process of its own, whose file descriptors the caller has limited: `node few-descriptors.ts <nodes> <ports as JSON>`. Prints
 * what came of two ticks.
 */
export interface Found {
  /** How many nodes of each kind of outcome there were, by tick. */
  readonly kinds: readonly Readonly<Record<string, number>>[];
  /** Nodes whose metrics were published, by tick. */
  readonly published: readonly number[];
  /** Descriptors that are open in the end. */
  readonly open: number;
}

if (process.argv[1] === import.meta.filename) {
  const [, , nodes = '', ports = ''] = process.argv;
  using job = aJob(fleetConfig(Number(nodes), JSON.parse(ports), (index) => kindOf('mixed', index)));
  const kinds: Record<string, number>[] = [];
  const published: number[] = [];
  for (let ticks = 0; ticks < 2; ticks++) {
    job.metrics.length = 0;
    const { outcomes } = await job.tick({ mode: 'act', interrupted: () => true });
    kinds.push(
      Object.fromEntries([...Map.groupBy(outcomes, ({ kind }) => kind)].map(([kind, all]) => [kind, all.length])),
    );
    published.push(job.metrics.filter(({ name, value }) => name === 'Reachable' && value === 1).length);
  }
  const open = readdirSync('/proc/self/fd').length;
  process.stdout.write(JSON.stringify({ kinds, published, open } satisfies Found));
  process.exit();
}
