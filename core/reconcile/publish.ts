import { looseAlerts } from '../alerts/messages.ts';
import { flush } from '../alerts/outbox.ts';
import type { Config } from '../config/schema.ts';
import type { Fleet } from '../domain/discovered.ts';
import { DIMENSION, JOB_METRICS, type Metric } from '../domain/metric-catalogue.ts';
import { type Outcome, planIn, problemIn, type Status, statusOf, stepsOf, verdictIn } from '../domain/outcome.ts';
import { present } from '../domain/present.ts';
import { LATE } from '../domain/timings.ts';
import { strayPauseText } from '../format/pause.ts';
import { isNightOver } from '../guards/night.ts';
import { isIdle } from '../guards/node-order.ts';
import type { Log } from '../ports/log.ts';
import type { PublishReport } from '../ports/sinks.ts';
import { strayPauses } from '../state/pauses.ts';
import type { Announced } from './announcer.ts';
import type { InstanceReport, Run } from './assign.ts';
import { exchangeCounters } from './counters.ts';
import { problemOf } from './observe-fleet.ts';
import { type Reportable, reportable, whyText } from './reportable.ts';
import { isAsked, type Scope, type Tick } from './scope.ts';
import type { State } from './snapshot.ts';

/** What came of a tick, before it is published. */
interface Concluded {
  readonly at: number;
  readonly reports: readonly InstanceReport[];
  /** Leases on nodes that the config no longer names. */
  readonly orphans: readonly Outcome[];
  readonly troubles: readonly string[];
  readonly fleet: Pick<Fleet, 'failures' | 'changes' | 'leftOut' | 'keep'>;
}

/** Published first, judged afterwards: a failed run has reported what it saw. */
export async function publishTick(
  config: Config,
  run: Run,
  { at, reports, orphans, troubles, fleet }: Concluded,
): Promise<Tick> {
  const { ports, stage, snapshot, options } = run;
  const { mode, scope } = options;
  const problem = snapshot.kind === 'unavailable' ? { why: snapshot.why } : undefined;
  const { counters, keep } = await exchangeCounters(config, run);
  const { outcomes, metrics, alerts } = reportable(
    {
      stage,
      startedAt: at,
      finishedAt: ports.clock.now(),
      instances: config.instances,
      outcomes: [...inOrder(config, reports), ...orphans],
      ...(problem && { problem }),
      ...(config.metrics.send === 'otlp' && { watched: config.schedule }),
      ...(scope.kind === 'fleet' &&
        isDiscovered(config, fleet) && { changes: fleet.changes, undiscovered: fleet.failures.size }),
      counters,
    },
    announcedIn(reports),
    ports.log,
  );
  const known = { outcomes, alerts, metrics: metrics.filter((metric) => isKnown(metric, scope)) };
  // The end of a run is known after its window.
  const isOver = () => !outcomes.some(({ leased }) => leased) && isNightOver(config.instances, at);
  const undelivered = mode === 'act' ? await publish(run, known, isOver) : 0;
  await keep(outcomes);
  if (mode === 'act' && scope.kind === 'fleet') await fleet.keep();
  const ofPauses = scope.kind === 'fleet' && snapshot.kind === 'readable' ? remarksOf(snapshot, config, at) : [];
  const remarks = [...undiscovered(fleet.failures), ...fleet.leftOut, ...ofPauses];
  for (const remark of remarks) ports.log.warn(remark);
  const leased = outcomes.filter((outcome) => outcome.leased).map(({ instance, node }) => ({ instance, node }));
  const idle = leased.length === 0 && outcomes.every(isIdle);
  return {
    at,
    stage,
    instances: config.instances,
    undiscovered: [...fleet.failures.keys()].filter((id) => isAsked(id, scope)),
    outcomes,
    leased,
    idle,
    remarks,
    undelivered,
    troubles,
    ...(problem && { problem: problem.why }),
  };
}

function isDiscovered({ instances }: Config, { failures }: Pick<Fleet, 'failures'>): boolean {
  return failures.size > 0 || instances.some(({ found }) => found);
}

function undiscovered(failures: Fleet['failures']): readonly string[] {
  return [...failures].map(([instance, why]) => `${instance}: its nodes could not be found now: ${why}`);
}

function announcedIn(reports: readonly InstanceReport[]): Announced {
  return {
    events: reports.flatMap(({ announced }) => announced.events),
    unkept: reports.flatMap(({ announced }) => announced.unkept),
  };
}

function inOrder({ instances }: Config, reports: readonly InstanceReport[]): readonly Outcome[] {
  const byInstance = new Map(reports.map(({ instance, outcomes }) => [instance, outcomes]));
  return instances.flatMap(({ id }) => byInstance.get(id) ?? []);
}

/** A tick of some nodes says nothing about the job as a whole, but for the number of leases when it was about all of those. */
function isKnown({ name, dimensions }: Metric, { kind }: Scope): boolean {
  if (kind === 'fleet' || DIMENSION.node in dimensions) return true;
  return kind === 'leased-nodes' && name === JOB_METRICS.leasesHeld.name;
}

function remarksOf({ pauses }: State, { stage, instances, schedule }: Config, now: number): readonly string[] {
  const moment = { timezone: schedule.timezone, now, stage };
  return strayPauses(pauses, instances, now).map(({ scope, pause, covers }) =>
    strayPauseText(scope, pause, covers, moment),
  );
}

/**
 * Publishes what came of a tick: one log line for each step, then metrics and alerts side by side (a dead endpoint costs ten seconds).
 * Returns how many could not be delivered.
 */
async function publish(
  { ports, options, snapshot }: Run,
  { outcomes, metrics, alerts }: Reportable,
  isOver: () => boolean,
): Promise<number> {
  for (const step of outcomes.flatMap(stepsOf)) logStep(ports.log, step);
  const hasTime = () => options.remaining() > -LATE;
  const sent =
    snapshot.kind === 'unavailable'
      ? ports.alerts.send(looseAlerts(alerts, ports.log))
      : flush(ports, options.holder, alerts, { hasTime, isNightOver: isOver });
  const [metricReport, alertReport] = await Promise.all([
    // Neither may keep the other from being sent.
    ports.metrics.publish(metrics).catch((error: unknown) => unsent('metrics', error)),
    sent.catch((error: unknown) => unsent('alerts', error)),
  ]);
  logRejections(ports.log, 'metrics not published', metricReport);
  logRejections(ports.log, 'alerts not sent', alertReport);
  return metricReport.rejected.length + alertReport.rejected.length;
}

function unsent(what: string, error: unknown): PublishReport {
  return { sent: 0, rejected: [{ what, why: problemOf(error).message }] };
}

function logStep(log: Log, step: Outcome): void {
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

function logRejections(log: Log, message: string, { sent, rejected }: PublishReport): void {
  if (rejected.length > 0) log.error(message, { sent, rejected });
}
