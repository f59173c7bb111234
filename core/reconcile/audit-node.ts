import { auditNode } from '../audit/audit.ts';
import type { NodeFacts } from '../audit/facts.ts';
import { type Milliseconds, SECOND } from '../config/units.ts';
import { diagnose } from '../diagnosis/diagnose.ts';
import { commandsPerSecond, loadCounters, mainThreadCpu } from '../diagnosis/load.ts';
import type { Audited } from '../domain/audit.ts';
import type { Observation } from '../domain/observation.ts';
import { isOfConfig, type Problem } from '../domain/outcome.ts';
import { present } from '../domain/present.ts';
import { windowAt } from '../guards/window.ts';
import type { Session } from '../ports/node-session.ts';
import type { Ports } from '../ports/ports.ts';
import { lookAt, problemOf } from './observe-fleet.ts';

/** What an audit found on one node. */
export interface NodeAudit {
  readonly instance: string;
  readonly node: string;
  /** Absent where the node could not be audited. */
  readonly facts?: NodeFacts;
  readonly problem?: Problem;
  readonly answers: readonly Audited[];
}

/** For so long PINGs are sent, and the load is measured. */
const MEASURED: Milliseconds = 1.5 * SECOND;

type Subject = Pick<NodeFacts, 'instance' | 'node' | 'isConfigured' | 'isLeased'>;

/** Never throws: a node that cannot be asked is an answer, too. */
export async function auditOne(open: Ports['open'], now: () => number, subject: Subject): Promise<NodeAudit> {
  const { instance, node } = subject;
  const names = { instance: instance.id, node: node.id };
  const look = await lookAt(open, instance, node);
  if ('problem' in look) return { ...names, ...unreached(look.problem) };
  const { session, observation } = look;
  try {
    const facts = await factsOf(session, observation, subject, now());
    return { ...names, facts, answers: auditNode(facts) };
  } catch (error) {
    return { ...names, ...unreached(problemOf(error)) };
  } finally {
    session.close();
  }
}

async function factsOf(session: Session, first: Observation, subject: Subject, now: number): Promise<NodeFacts> {
  const waits = await session.waits(MEASURED);
  const defragSupport = first.engine.atomicConfigSet ? await session.probeDefrag() : undefined;
  const inquiry = await session.inquire(first, waits);
  const observation = await session.look();
  const earlier = loadCounters(first);
  const { windows, timezone = 'UTC', holidays } = subject.instance;
  const memoryLimit = subject.instance.memoryLimit ?? (subject.isConfigured ? undefined : inquiry.machine?.memoryLimit);
  const instance = { ...subject.instance, ...(memoryLimit !== undefined && { memoryLimit }) };
  const remembered = {
    byAction: {},
    ...(observation.runId !== undefined && { runId: observation.runId }),
    ...((defragSupport === 'supported' || defragSupport === 'unsupported') && { defragSupport }),
  };
  return {
    ...subject,
    instance,
    observation,
    diagnosis: diagnose(observation, instance, {}, remembered),
    inquiry,
    ...(defragSupport !== undefined && { defragSupport }),
    load: present({ cpu: mainThreadCpu(observation, earlier), opsPerSecond: commandsPerSecond(observation, earlier) }),
    window: windowAt(windows, timezone, now, holidays),
  };
}

function unreached(problem: Problem): Pick<NodeAudit, 'problem' | 'answers'> {
  const answer = {
    kind: 'finding',
    severity: 'critical',
    evidence: problem.message,
    remedy: isOfConfig(problem.kind)
      ? 'correct the config, or what it names (docs/runbook.md#nodes-misconfigured)'
      : 'see docs/runbook.md#unreachable',
  } as const;
  return { problem, answers: [{ rule: 'reachable', title: 'the node can be audited', answer }] };
}
