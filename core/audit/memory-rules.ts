import { type Bytes, MIB } from '../config/units.ts';
import type { Answer, AuditSeverity } from '../domain/audit.ts';
import type { Finding, MaxmemoryFinding } from '../domain/diagnosis.ts';
import { isLikeRedis } from '../domain/engine.ts';
import { bytesText, percentText, ratioText } from '../format/units.ts';
import { findingText } from '../reporting/wording/finding.ts';
import { limitText } from '../reporting/wording/limit.ts';
import { eviction } from './eviction.ts';
import { finding, fine, type NodeFacts, type Rule, setting, unknown } from './facts.ts';

// What the data and the process take, beside what may kill them.

export const MEMORY_RULES: readonly Rule<NodeFacts>[] = [
  { id: 'memory-limit', title: 'the memory limit of the server is known', judge: memoryLimit },
  { id: 'near-limit', title: 'RSS, and what a fork copies, are below the limit', judge: nearLimit },
  { id: 'maxmemory', title: 'maxmemory leaves headroom below the limit', judge: maxmemory },
  { id: 'eviction', title: 'a full server can evict, or has room', judge: eviction },
  { id: 'fragmentation', title: 'no action would return memory now', judge: fragmentation },
  { id: 'overhead', title: 'nothing beside the data holds much', judge: overhead },
  { id: 'swap', title: 'no part of the data is swapped out', judge: swap },
];

function found(facts: NodeFacts, ...kinds: readonly Finding['kind'][]): readonly Finding[] {
  return facts.diagnosis.findings.filter(({ kind }) => kinds.includes(kind));
}

/** The findings of `check`, which end with what to do. */
function fromFindings(
  severity: AuditSeverity,
  findings: readonly Finding[],
  remedy: string,
  otherwise: string,
): Answer {
  return findings.length === 0
    ? fine(otherwise)
    : finding(severity, findings.map((one) => findingText(one)).join('; '), remedy);
}

function memoryLimit({ instance, isConfigured, inquiry, diagnosis }: NodeFacts): Answer {
  const { memoryLimit: named } = instance;
  const actual = inquiry.machine?.memoryLimit;
  if (named !== undefined && actual !== undefined && named > actual)
    return finding(
      'critical',
      `memoryLimit is ${bytesText(named)}, and the control group of the process allows ${bytesText(actual)}`,
      'correct memoryLimit: the alarm for RSS near the limit would come too late',
      { kind: 'config', line: `memoryLimit: ${actual}B` },
    );
  if (named !== undefined) return fine(`the limit is ${bytesText(named)}`);
  if (actual !== undefined && isConfigured)
    return finding(
      'warning',
      `the config has no memoryLimit, and the control group of the process allows ${bytesText(actual)}`,
      'add it: without it there is no alarm for RSS near the limit',
      { kind: 'config', line: `memoryLimit: ${actual}B` },
    );
  const machine = diagnosis.limit
    ? `only the machine's memory of ${bytesText(diagnosis.limit.bytes)} is known`
    : 'no limit is known';
  return isConfigured
    ? finding(
        'warning',
        `${machine}: the config has no memoryLimit`,
        'without it there is no alarm for RSS near the limit. docs/memory.md says how to find it',
        {
          kind: 'config',
          line: 'memoryLimit: 6GiB',
        },
      )
    : unknown(`${machine}; no server knows the limit of its container: add --memory-limit`);
}

function nearLimit(facts: NodeFacts): Answer {
  const { account, limit } = facts.diagnosis;
  const near = found(facts, 'near-limit');
  if (near.length > 0) return fromFindings('critical', near, 'return memory now, or give it more', '');
  const peak = found(facts, 'peak-over-limit');
  if (peak.length > 0) return fromFindings('warning', peak, 'set maxmemory below the limit', '');
  if (account?.of !== 'rss') return unknown('the server does not report RSS');
  if (!limit) return unknown(`RSS is ${bytesText(account.total)}; no limit is known`);
  return fine(
    `RSS is ${bytesText(account.total)}, ${percentText((account.total / limit.bytes) * 100)} of ${limitText(limit)}`,
  );
}

const SEVERITY: Readonly<Record<MaxmemoryFinding['problem'], AuditSeverity>> = {
  none: 'warning',
  'beyond-limit': 'critical',
  'little-headroom': 'warning',
};

function maxmemory(facts: NodeFacts): Answer {
  const { observation, diagnosis } = facts;
  const set = observation.memory.maxmemory;
  if (!isLikeRedis(observation.engine) || set === undefined)
    return unknown('the server does not report maxmemory as Redis does');
  const [problem] = found(facts, 'maxmemory');
  if (problem?.kind === 'maxmemory')
    return finding(
      SEVERITY[problem.problem],
      findingText(problem),
      'maxmemory limits the data, the kernel limits the process: leave 30 to 50 % between them',
      ...(problem.suggested === undefined || problem.isManaged ? [] : [megabytes(problem.suggested)]),
    );
  const { limit } = diagnosis;
  // `check` is silent where the server is small beside its machine; an audit is about what may come.
  if (set === 0)
    return finding(
      'warning',
      `maxmemory is 0: the data may grow until ${limit ? `${limitText(limit)} is full` : 'memory is full'}`,
      'set it, 30 to 50 % below what this server may take of its machine',
    );
  if (!limit) return unknown(`maxmemory is ${bytesText(set)}; no limit is known`);
  return fine(
    `maxmemory is ${bytesText(set)}, ${percentText((1 - set / limit.bytes) * 100)} below ${limitText(limit)}`,
  );
}

function megabytes(bytes: Bytes) {
  return setting('maxmemory', `${Math.floor(bytes / MIB)}mb`);
}

function fragmentation(facts: NodeFacts): Answer {
  const { ratio, layers } = facts.diagnosis;
  if (!layers) return unknown('the allocator does not say where RSS goes: see the rule allocator');
  const times = ratio === undefined ? '' : `, RSS is ${ratioText(ratio)} times used_memory`;
  const seen = `external fragmentation is ${bytesText(layers.externalFragmentation)}, free pages are ${bytesText(layers.freePages)}${times}`;
  const remedy = facts.isConfigured
    ? '`npx offpeak plan` says when it is returned, or what holds it up; `run --now` does not wait for the window'
    : '`npx offpeak init` writes a config for this server; with it, `npx offpeak run --now` returns the memory';
  const findings = found(facts, 'fragmented', 'free-pages');
  if (facts.isLeased) return fine(`${seen}; Offpeak's defrag is on`);
  const isUnderWay = findings.every((one) => 'obstacle' in one && one.obstacle?.kind === 'already-on');
  return fromFindings(isUnderWay ? 'advice' : 'warning', findings, remedy, seen);
}

function overhead(facts: NodeFacts): Answer {
  const findings = found(facts, 'held', 'overhead', 'impossible');
  return fromFindings('warning', findings, 'see docs/memory.md for each part', 'no part beside the data is large');
}

/** Less is what a server has after a quiet night. */
const SWAP_WORTH_SAYING = 16 * MIB;

function swap(facts: NodeFacts): Answer {
  const { inquiry, observation } = facts;
  const swapped = inquiry.machine?.swapped;
  if (swapped !== undefined)
    return swapped >= SWAP_WORTH_SAYING
      ? finding(
          'warning',
          `VmSwap of the process is ${bytesText(swapped)}`,
          'give the machine more memory: each access to a swapped page waits for the disk',
        )
      : fine(`VmSwap of the process is ${bytesText(swapped)}`);
  const below = found(facts, 'rss-below-used');
  if (below.length > 0) return fromFindings('warning', below, 'see VmSwap on its machine', '');
  return observation.memory.usedMemoryRss === undefined
    ? unknown('the server does not report RSS')
    : fine('RSS is not below used_memory');
}
