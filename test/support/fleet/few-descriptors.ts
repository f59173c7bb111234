import { readdirSync } from 'node:fs';
import { problemIn } from '../../../core/domain/outcome.ts';
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
  /** Nodes that were seen and whose metrics were published in one of the ticks at least: on a slow machine, a look may take too long. */
  readonly published: number;
  /** What is said of nodes that were not seen, each once, without their addresses. */
  readonly problems: readonly string[];
  /** Descriptors that are open in the end. */
  readonly open: number;
}

if (process.argv[1] === import.meta.filename) {
  const [, , nodes = '', ports = ''] = process.argv;
  using job = aJob(fleetConfig(Number(nodes), JSON.parse(ports), (index) => kindOf('mixed', index)));
  const kinds: Record<string, number>[] = [];
  const published = new Set<string>();
  const problems = new Set<string>();
  for (let ticks = 0; ticks < 2; ticks++) {
    job.metrics.length = 0;
    const { outcomes } = await job.tick({ mode: 'act', interrupted: () => true });
    kinds.push(
      Object.fromEntries([...Map.groupBy(outcomes, ({ kind }) => kind)].map(([kind, all]) => [kind, all.length])),
    );
    for (const { name, value, dimensions } of job.metrics)
      if (name === 'Reachable' && value === 1) published.add(dimensions.Node ?? '');
    for (const outcome of outcomes) {
      const { kind, message = '' } = problemIn(outcome) ?? {};
      if (kind) problems.add(`${kind} ${/\bE[A-Z]{4,}\b/.exec(message)?.[0] ?? ''}`.trim());
    }
  }
  const open = readdirSync('/proc/self/fd').length;
  process.stdout.write(
    JSON.stringify({ kinds, published: published.size, problems: [...problems], open } satisfies Found),
  );
  process.exit();
}
