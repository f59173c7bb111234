import { type Outcome, planIn, problemIn, type Status, statusOf, verdictIn } from '../domain/outcome.ts';
import { present } from '../domain/present.ts';
import type { Log } from '../ports/log.ts';
import { whyText } from './reportable.ts';

/** One line of the log for one step on a node. */
export function logStep(log: Log, step: Outcome): void {
  const { instance, node, before, leased, pause } = step;
  const status = statusOf(step);
  const { layers, ratio } = before?.diagnosis ?? {};
  const fields = {
    instance,
    node,
    status,
    ...(layers && { layers, ratio }),
    ...present({ plan: planIn(step), why: whyText(step), verdict: verdictIn(step), problem: problemIn(step), pause }),
    ...(leased && { leased }),
    ...('opsPerSecond' in step && { opsPerSecond: step.opsPerSecond }),
    ...('mainThreadCpu' in step && { mainThreadCpu: step.mainThreadCpu }),
  };
  const [level, message] = LINES[status];
  log[level](message, fields);
}

/** What the log says of a node. */
const LINES: Readonly<Record<Status, readonly ['info' | 'warn' | 'error', string]>> = {
  observed: ['info', 'node observed'],
  acted: ['info', 'node maintained'],
  'not-reached': ['warn', 'node not reached'],
  unreachable: ['warn', 'node unreachable'],
  'not-data-node': ['warn', 'not a data node'],
  'config-problem': ['warn', 'config problem of Offpeak'],
  failed: ['error', 'node failed'],
};
