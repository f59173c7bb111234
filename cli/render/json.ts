import type { InstanceConfig } from '../../core/config/schema.ts';
import { isHealthy } from '../../core/diagnosis/diagnose.ts';
import { kernelBytes } from '../../core/domain/account.ts';
import type { Alert } from '../../core/domain/alert.ts';
import type { Diagnosis, Layers } from '../../core/domain/diagnosis.ts';
import type { Engine } from '../../core/domain/engine.ts';
import { latestIn, type Outcome, planIn, problemIn, statusOf, stepsOf, verdictIn } from '../../core/domain/outcome.ts';
import type { Plan } from '../../core/domain/plan.ts';
import { isoText } from '../../core/format/units.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { findingText } from '../../core/reporting/wording/finding.ts';
import { planText } from '../../core/reporting/wording/plan.ts';
import { noticeText, verdictText } from '../../core/reporting/wording/result.ts';
import type { CommandLine } from '../command-line.ts';
import { defragNote, purgeNote, sumOf } from './layers.ts';
import { commandsFor, type LeaseOn, leasesOn } from './leases.ts';
import { figuresOf, totalsOf } from './returnable.ts';

/** Of every document of `--json`: another number where a field is removed or means something else; new fields keep it. */
export const JSON_SCHEMA = 1;

/**
 * A tick as one JSON document on one line: bytes, milliseconds, and times as ISO 8601. What is not known is absent. With a `commandLine` no later
 * tick follows: `leases` are those that it leaves on. docs/cli-json.md lists every field.
 */
export function tickJson(tick: Tick, alerts: readonly Alert[] = [], commandLine?: CommandLine): string {
  const { at, stage, instances, undiscovered, outcomes, leased, problem, remarks, undelivered, troubles } = tick;
  const left = commandLine === undefined ? [] : leasesOn(tick);
  const document = {
    schema: JSON_SCHEMA,
    at: isoText(at),
    stage,
    outcomes: outcomes.flatMap(stepsOf).map((step) =>
      stepDocument(
        step,
        instances.find(({ id }) => id === step.instance),
      ),
    ),
    totals: totalsOf(outcomes),
    leasesHeld: leased.length,
    leases: left.length === 0 ? undefined : left.map((lease) => leaseDocument(lease, commandLine)),
    undelivered,
    undiscovered: undiscovered.length === 0 ? undefined : undiscovered,
    remarks: remarks.length === 0 ? undefined : remarks,
    alerts: alerts.map(({ event, severity, instance, node, title }) => ({ event, severity, instance, node, title })),
    problem,
    troubles: troubles.length === 0 ? undefined : troubles,
  };
  return JSON.stringify(document, timesAsText);
}

/** Instants inside a plan, a blocker or a pause; durations have other names. */
const INSTANTS = ['at', 'until', 'expiresAt'];

function timesAsText(key: string, value: unknown): unknown {
  return INSTANTS.includes(key) && typeof value === 'number' ? isoText(value) : value;
}

function leaseDocument(lease: LeaseOn, commandLine: CommandLine | undefined) {
  const { instance, node, until } = lease;
  return { instance, node, until, commands: commandLine && commandsFor(lease, commandLine) };
}

function stepDocument(step: Outcome, instance: InstanceConfig | undefined) {
  const { before, leased, notices, pause } = step;
  const seen = latestIn(step);
  const figures = figuresOf(step);
  const observation = seen?.observation;
  const [plan, verdict] = [planIn(step), verdictIn(step)];
  return {
    instance: step.instance,
    discoveredBy: instance?.found?.by,
    node: step.node,
    status: statusOf(step),
    role: observation?.replication.role,
    engine: observation && engineDocument(observation.engine),
    memory: seen && {
      used: seen.observation.memory.usedMemory,
      rss: seen.observation.memory.usedMemoryRss,
      limit: seen.diagnosis.limit?.bytes ?? instance?.memoryLimit,
      limitOf: seen.diagnosis.limit?.of,
      counted: kernelBytes(seen.diagnosis.account),
      ratio: seen.diagnosis.ratio,
    },
    oddFields: observation?.oddFields,
    returnable: figures?.returnable,
    by: figures?.by,
    diagnosis: before && diagnosisDocument(before.diagnosis),
    plan: plan && planDocument(plan, step, instance),
    verdict: verdict && { ...verdict, text: verdictText(verdict) },
    notes: notices.length === 0 ? undefined : notices.map(noticeText),
    problem: problemIn(step),
    leased,
    pause: pause && { until: pause.until, reason: pause.reason, by: pause.by },
    opsPerSecond: 'opsPerSecond' in step ? step.opsPerSecond : undefined,
    mainThreadCpu: 'mainThreadCpu' in step ? step.mainThreadCpu : undefined,
  };
}

/** `calledItself`: what an unknown engine says of itself; `service`: who runs it. */
function engineDocument({ name, version, calledItself, service }: Engine) {
  return { name, version, calledItself, service };
}

function diagnosisDocument(diagnosis: Diagnosis) {
  const { account, layers, findings, reclaimable } = diagnosis;
  return {
    verdict: isHealthy(diagnosis) ? 'healthy' : 'findings',
    account,
    layers: layersDocument(layers),
    findings: findings.map((finding) => ({ ...finding, text: findingText(finding) })),
    predictions: layers && {
      defrag: { reclaim: reclaimable.defrag, text: defragNote(diagnosis) },
      purge: {
        reclaim: reclaimable.purge.reclaim,
        stall: reclaimable.purge.stall,
        text: purgeNote(diagnosis, sumOf(layers)),
      },
    },
  };
}

function layersDocument(layers: Layers | undefined) {
  if (!layers) return undefined;
  const { allocated, externalFragmentation, freePages, overhead } = layers;
  return { data: allocated, fragmentation: externalFragmentation, freePages, overhead };
}

function planDocument(plan: Plan, step: Outcome, instance: InstanceConfig | undefined) {
  const now = latestIn(step)?.observation.at;
  const why = planText(plan, instance?.timezone, { now, diagnosis: step.before?.diagnosis });
  const { kind, reason } = plan;
  return plan.kind === 'act'
    ? { kind, action: plan.action, reason, why, predicted: plan.predicted, blockers: blockersOf(plan) }
    : {
        kind,
        // What would have been done, where only the circumstances forbid it.
        action: plan.instead && { kind: plan.instead.action },
        reason,
        why,
        predicted: plan.instead?.predicted,
        denial: plan.denial,
        blockers: plan.blockers,
        until: plan.until,
        underWay: plan.underWay,
      };
}

function blockersOf({ action }: Extract<Plan, { kind: 'act' }>) {
  return action.kind === 'stop-defrag' ? action.blockers : undefined;
}
