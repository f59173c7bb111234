import { looseAlerts } from '../alerts/messages.ts';
import { enqueue, flush } from '../alerts/outbox.ts';
import { isFleet } from '../config/fleet.ts';
import type { Config } from '../config/schema.ts';
import type { Alert } from '../domain/alert.ts';
import type { Fleet } from '../domain/discovered.ts';
import { FLEET_METRICS, JOB_METRICS } from '../domain/job-metrics.ts';
import { DIMENSION, type Metric } from '../domain/metric.ts';
import { type Outcome, stepsOf } from '../domain/outcome.ts';
import type { ReportInput } from '../domain/report.ts';
import { LATE } from '../domain/timings.ts';
import { isNightOver } from '../guards/night.ts';
import { isIdle } from '../guards/node-order.ts';
import type { Log } from '../ports/log.ts';
import type { GroupReport } from '../ports/parameter-groups.ts';
import type { PublishReport } from '../ports/sinks.ts';
import type { Announced } from './announcer.ts';
import type { InstanceReport, Run } from './assign.ts';
import { exchangeCounters } from './counters.ts';
import { logStep } from './log-step.ts';
import { problemOf } from './observe-fleet.ts';
import { mistakesOfFleet, remarksOfFleet, remarksOfStage } from './remarks.ts';
import { type Reportable, reportable } from './reportable.ts';
import { isAsked, type NodeName, type Tick, type TickOptions } from './scope.ts';
import type { Snapshot } from './snapshot.ts';
import type { Unlisted } from './unlisted.ts';

/** What came of a tick, before it is published. */
interface Concluded {
  readonly at: number;
  readonly reports: readonly InstanceReport[];
  /** Leases on nodes that the config no longer names. */
  readonly orphans: readonly Outcome[];
  readonly troubles: readonly string[];
  readonly groups: readonly GroupReport[];
  /** Absent where no node was looked at. */
  readonly unlisted?: Unlisted;
  readonly fleet: Pick<Fleet, 'failures' | 'mistakes' | 'changes' | 'leftOut' | 'keep'>;
}

/** Published first, judged afterwards: a failed run has reported what it saw. */
export async function publishTick(config: Config, run: Omit<Run, 'claims'>, concluded: Concluded): Promise<Tick> {
  const { ports, stage, snapshot, options } = run;
  const { mode, scope, part } = options;
  const { at, reports, troubles, groups, fleet, unlisted } = concluded;
  const isWhole = isWholeStage(options);
  const { counters, keep } = await exchangeCounters(config, run);
  const input = { ...inputOf(config, run, concluded), counters };
  const { outcomes, metrics, alerts } = reportable(input, announcedIn(reports), ports.log);
  const known = { outcomes, alerts, metrics: metrics.filter((metric) => isKnown(metric, options)) };
  const leased = leasedNodes(outcomes, groups);
  const held = part?.kind === 'dispatch' ? leaseCount(snapshot) : leased.length;
  // The end of a run is known after its window.
  const isOver = () => held === 0 && isNightOver(config.instances, at);
  const undelivered = mode === 'act' ? await publish(run, known, isOver) : 0;
  await keep(outcomes);
  if (mode === 'act') await fleet.keep({ isWhole });
  if (mode === 'act') await unlisted?.keep();
  const remarks = [
    ...remarksOfFleet(fleet),
    ...(unlisted?.remarks ?? []),
    ...(isWhole ? remarksOfStage(config, snapshot, { failures: fleet.failures, now: at }) : []),
  ];
  for (const remark of remarks) ports.log.warn(remark);
  const idle = leased.length === 0 && outcomes.every(isIdle);
  return {
    at,
    stage,
    instances: config.instances,
    undiscovered: [...fleet.failures.keys()].filter((id) => isAsked(id, scope)),
    outcomes,
    leased,
    idle,
    remarks: [...remarks, ...groups.map(({ line }) => line)],
    undelivered,
    troubles: [...troubles, ...mistakesOfFleet(fleet, (id) => isAsked(id, scope))],
    ...(snapshot.kind === 'unavailable' && { problem: snapshot.why }),
  };
}

function inputOf(
  config: Config,
  { ports, stage, snapshot, options }: Omit<Run, 'claims'>,
  { at, reports, orphans, fleet, unlisted }: Concluded,
): ReportInput {
  const { part } = options;
  return {
    stage,
    startedAt: at,
    finishedAt: ports.clock.now(),
    instances: config.instances,
    outcomes: [...inOrder(config, reports), ...orphans],
    ...(snapshot.kind === 'unavailable' && { problem: { why: snapshot.why } }),
    ...(config.metrics.send === 'otlp' && { watched: config.schedule }),
    isFleet: isLarge(config, fleet),
    ...(part && { part: part.kind === 'batch' ? part : { ...part, leases: leaseCount(snapshot) } }),
    changes: [...(isWholeStage(options) ? fleet.changes : []), ...(unlisted?.changes ?? [])],
    ...(isWholeStage(options) && isDiscovered(config, fleet) && { undiscovered: fleet.failures.size }),
  };
}

function isWholeStage({ scope, part }: TickOptions): boolean {
  return scope.kind === 'fleet' && part?.kind !== 'batch';
}

/** A run on a parameter group begins and ends after its nodes' outcomes. */
function leasedNodes(outcomes: readonly Outcome[], groups: readonly GroupReport[]): readonly NodeName[] {
  const own = outcomes.filter(({ leased }) => leased).map(({ instance, node }) => ({ instance, node }));
  const all = [...own, ...groups.flatMap(({ leased }) => leased)];
  return [...new Map(all.map((one) => [one.node, one])).values()];
}

/** What could not be found is missing from the config here. */
function isLarge(config: Config, { failures }: Pick<Fleet, 'failures'>): boolean {
  return failures.size > 0 || isFleet(config);
}

function isDiscovered({ instances }: Config, { failures }: Pick<Fleet, 'failures'>): boolean {
  return failures.size > 0 || instances.some(({ found }) => found);
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
function isKnown({ name, dimensions }: Metric, { scope: { kind }, part }: TickOptions): boolean {
  if (kind === 'fleet' || DIMENSION.node in dimensions) return true;
  // What actions return adds up, whichever tick has seen their end.
  if (name === FLEET_METRICS.reclaimedMemory.name) return true;
  return kind === 'leased-nodes' && part === undefined && name === JOB_METRICS.leasesHeld.name;
}

function leaseCount(snapshot: Snapshot): number {
  return snapshot.kind === 'readable' ? snapshot.leases.size : 0;
}

/**
 * Publishes what came of a tick: one log line for each step, then metrics and alerts side by side (a dead endpoint costs ten seconds).
 * Returns how many could not be delivered.
 */
async function publish(
  { ports, options, snapshot }: Omit<Run, 'claims'>,
  { outcomes, metrics, alerts }: Reportable,
  isOver: () => boolean,
): Promise<number> {
  for (const step of outcomes.flatMap(stepsOf)) logStep(ports.log, step);
  const hasTime = () => options.remaining() > -LATE;
  const loose = (unkept: readonly Alert[]) => ports.alerts.send(looseAlerts(unkept, ports.log));
  const queued = () =>
    options.part?.kind === 'batch'
      ? // The dispatch sends what all workers have to say, in few messages.
        enqueue(ports, options.holder, alerts, hasTime).then(loose)
      : flush(ports, options.holder, alerts, { hasTime, isNightOver: isOver });
  const sent = snapshot.kind === 'unavailable' ? loose(alerts) : queued();
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

function logRejections(log: Log, message: string, { sent, rejected }: PublishReport): void {
  if (rejected.length > 0) log.error(message, { sent, rejected });
}
