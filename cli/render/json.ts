import type { InstanceConfig } from '../../core/config/schema.ts';
import type { Alert } from '../../core/domain/alert.ts';
import type { Layers } from '../../core/domain/diagnosis.ts';
import { latestIn, type Outcome, planIn, problemIn, statusOf, stepsOf, verdictIn } from '../../core/domain/outcome.ts';
import type { Plan } from '../../core/domain/plan.ts';
import { isoText } from '../../core/format/units.ts';
import type { Tick } from '../../core/reconcile/scope.ts';
import { planText } from '../../core/reporting/wording/plan.ts';
import type { LeaseOn } from './leases.ts';

/**
 * A tick as one JSON document on one line: bytes, milliseconds, and times as ISO 8601. What is not known is absent. `left`: the leases that
 * no later tick of this command will look after.
 */
export function tickJson(
  tick: Tick,
  instances: readonly InstanceConfig[] = [],
  alerts: readonly Alert[] = [],
  left: readonly LeaseOn[] = [],
): string {
  const { at, stage, outcomes, leased, problem, remarks, undelivered, troubles } = tick;
  return JSON.stringify({
    at: isoText(at),
    stage,
    outcomes: outcomes.flatMap(stepsOf).map((step) =>
      stepDocument(
        step,
        instances.find(({ id }) => id === step.instance),
      ),
    ),
    leasesHeld: leased.length,
    leases: left.length === 0 ? undefined : left.map(leaseDocument),
    undelivered,
    remarks: remarks.length === 0 ? undefined : remarks,
    alerts: alerts.map(({ event, severity, instance, node, title }) => ({ event, severity, instance, node, title })),
    problem,
    troubles: troubles.length === 0 ? undefined : troubles,
  });
}

function leaseDocument({ instance, node, until }: LeaseOn) {
  const next = 'the next tick, `offpeak run --watch --until-idle` or `offpeak release` ends it';
  return { instance, node, until: until === undefined ? undefined : isoText(until), next };
}

function stepDocument(step: Outcome, instance: InstanceConfig | undefined) {
  const { before, leased, pause } = step;
  const observation = latestIn(step)?.observation;
  const plan = planIn(step);
  return {
    instance: step.instance,
    node: step.node,
    status: statusOf(step),
    role: observation?.replication.role,
    engine: observation && { name: observation.engine.name, version: observation.engine.version },
    ratio: before?.diagnosis.ratio,
    diagnosis: before && {
      layers: layersDocument(before.diagnosis.layers),
      findings: before.diagnosis.findings,
    },
    plan: plan && planDocument(plan, step, instance),
    verdict: verdictIn(step),
    problem: problemIn(step),
    leased,
    pause: pause && { until: isoText(pause.until), reason: pause.reason, by: pause.by },
    opsPerSecond: 'opsPerSecond' in step ? step.opsPerSecond : undefined,
    mainThreadCpu: 'mainThreadCpu' in step ? step.mainThreadCpu : undefined,
  };
}

function layersDocument(layers: Layers | undefined) {
  if (!layers) return undefined;
  const { externalFragmentation, retained, overhead, allocated } = layers;
  return { externalFragmentation, retained, overhead, allocated };
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
        until: plan.until === undefined ? undefined : isoText(plan.until),
        underWay: plan.underWay,
      };
}

function blockersOf({ action }: Extract<Plan, { kind: 'act' }>) {
  return action.kind === 'stop-defrag' ? action.blockers : undefined;
}
