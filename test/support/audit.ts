import { expect } from 'vitest';
import { auditNode, auditStage } from '../../core/audit/audit.ts';
import type { NodeFacts, StageFacts } from '../../core/audit/facts.ts';
import type { Config } from '../../core/config/schema.ts';
import { diagnose } from '../../core/diagnosis/diagnose.ts';
import type { Answer, Inquiry } from '../../core/domain/audit.ts';
import type { MemorySample, Observation } from '../../core/domain/observation.ts';
import { anInstance, anObservation, aTidyMemorySample, NODE, SETTINGS } from './builders.ts';
import { configOf } from './job.ts';

const GIB = 1024 ** 3;

/** Of a server that is well kept. */
export function anInquiry(over: Partial<Inquiry> = {}): Inquiry {
  return {
    settings: {
      'maxmemory-policy': 'allkeys-lru',
      'jemalloc-bg-thread': 'yes',
      'disable-thp': 'yes',
      save: '',
      appendonly: 'no',
      'aof-use-rdb-preamble': 'yes',
      'protected-mode': 'yes',
      bind: '127.0.0.1 -::1',
    },
    doctor: [],
    decay: { dirty: 10_000, muzzy: 0 },
    user: 'offpeak',
    rights: { info: true, 'memory|purge': true, 'config|get': true, 'config|set': true, flushall: false },
    waits: [0.2, 0.3, 0.4],
    expires: 10,
    replicationId: 'a'.repeat(40),
    lastFork: 0,
    ...over,
  };
}

interface Over extends Partial<Omit<NodeFacts, 'observation' | 'inquiry' | 'diagnosis'>> {
  readonly observation?: Partial<Observation>;
  readonly memory?: Partial<MemorySample>;
  readonly inquiry?: Partial<Inquiry>;
  /** Merged into the inquiry's settings. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Active defrag is on, with these settings. */
  readonly defrag?: Readonly<Record<string, string>>;
}

/** A node that is well kept, in a config with a window, but for what `over` says. */
export function aNodeFacts({ observation, memory, inquiry, settings, defrag, ...over }: Over = {}): NodeFacts {
  const seen = anObservation({
    ...observation,
    ...(defrag && { defrag: { ...anObservation().defrag, settings: { ...SETTINGS, activedefrag: 'yes', ...defrag } } }),
    memory: aTidyMemorySample({ usedMemoryPeak: 460 * 1024 ** 2, ...memory }),
  });
  const instance = over.instance ?? anInstance({ memoryLimit: GIB });
  const inquired = anInquiry(inquiry);
  const [host = '', port = '0'] = NODE.split(':');
  return {
    node: { id: NODE, host, port: Number(port), tls: true },
    isConfigured: true,
    defragSupport: 'supported',
    load: { cpu: 3, opsPerSecond: 12 },
    window: { open: true, opensAt: 0, closesAt: 1 },
    ...over,
    instance,
    observation: seen,
    diagnosis: diagnose(seen, instance, {}, { byAction: {} }),
    inquiry: { ...inquired, ...(settings && { settings: { ...inquired.settings, ...settings } }) },
  };
}

export function answerTo(rule: string, facts: NodeFacts): Answer {
  const found = auditNode(facts).find((one) => one.rule === rule);
  if (!found) throw new Error(`no rule ${rule}`);
  return found.answer;
}

export function stageAnswerTo(rule: string, yaml: string, over: Partial<StageFacts> = {}): Answer {
  const config: Config = configOf(yaml);
  const found = auditStage({ config, nodes: [aNodeFacts()], failures: new Map(), ...over }).find(
    (one) => one.rule === rule,
  );
  if (!found) throw new Error(`no rule ${rule}`);
  return found.answer;
}

/** `kind` is a severity where a finding is expected. */
export function expectAnswer(answer: Answer, kind: string, text: RegExp): void {
  const said =
    answer.kind === 'finding'
      ? `${answer.evidence}. ${answer.remedy}. ${answer.changes?.map(({ line }) => line) ?? ''}`
      : 'why' in answer
        ? answer.why
        : answer.evidence;
  expect({ kind: answer.kind === 'finding' ? answer.severity : answer.kind, said }).toEqual({
    kind,
    said: expect.stringMatching(text),
  });
}
