import type { InstanceConfig } from '../../core/config/schema.ts';
import type { Alert } from '../../core/domain/alert.ts';
import type { Diagnosis, Layers } from '../../core/domain/diagnosis.ts';
import type { Outcome } from '../../core/domain/outcome.ts';
import type { Plan } from '../../core/domain/plan.ts';
import { isoText } from '../../core/format/units.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { findingText } from '../../core/reporting/wording/finding.ts';
import { planText } from '../../core/reporting/wording/plan.ts';
import { noticeText, verdictText } from '../../core/reporting/wording/result.ts';
import type { CommandLine } from '../command-line.ts';
import { defragNote, purgeNote, sumOf } from './layers.ts';
import { commandsFor, type LeaseOn, leasesOn } from './leases.ts';

/**
 * A tick as one JSON document on one line: bytes, milliseconds, and times as ISO 8601. What is not known is absent. With a `commandLine` no later
 * tick follows: `leases` are those that it leaves on. docs/cli-json.md lists every field.
 */
export function tickJson(
  tick: Tick,
  instances: readonly InstanceConfig[] = [],
  alerts: readonly Alert[] = [],
  commandLine?: CommandLine,
): string {
  const { at, stage, outcomes, leased, problem, remarks, undelivered, troubles } = tick;
  const left = commandLine === undefined ? [] : leasesOn(tick);
  const document = {
    at: isoText(at),
    stage,
    outcomes: outcomes.map((outcome) =>
      outcomeDocument(
        outcome,
        instances.find(({ id }) => id === outcome.instance),
      ),
    ),
    leasesHeld: leased.length,
    leases: left.length === 0 ? undefined : left.map((lease) => leaseDocument(lease, commandLine)),
    undelivered,
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

function outcomeDocument(outcome: Outcome, instance: InstanceConfig | undefined) {
  const { observation, diagnosis, plan, verdict, problem, leased, pause, opsPerSecond, mainThreadCpu } = outcome;
  return {
    instance: outcome.instance,
    node: outcome.node,
    status: outcome.status,
    role: observation?.replication.role,
    engine: observation && { name: observation.engine.name, version: observation.engine.version },
    memory: observation && {
      used: observation.memory.usedMemory,
      rss: observation.memory.usedMemoryRss,
      limit: instance?.memoryLimit,
      ratio: diagnosis?.ratio,
    },
    diagnosis: diagnosis && diagnosisDocument(diagnosis),
    plan: plan && planDocument(plan, outcome, instance),
    verdict: verdict && { ...verdict, text: verdictText(verdict) },
    notes: outcome.notices.length === 0 ? undefined : outcome.notices.map(noticeText),
    problem,
    leased: leased === true,
    pause: pause && { until: pause.until, reason: pause.reason, by: pause.by },
    opsPerSecond,
    mainThreadCpu,
  };
}

function diagnosisDocument(diagnosis: Diagnosis) {
  const { layers, findings, reclaimable } = diagnosis;
  return {
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

function planDocument(plan: Plan, { observation, diagnosis }: Outcome, instance: InstanceConfig | undefined) {
  const why = planText(plan, instance?.timezone, { now: observation?.at, diagnosis });
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
