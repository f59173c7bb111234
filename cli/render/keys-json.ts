import { engineText } from '../../core/domain/engine.ts';
import { isoText } from '../../core/format/units.ts';
import type { NodeSurvey } from '../../core/keys/survey.ts';
import { keyAdvice, samplingEndText } from '../../core/reporting/wording/key-finding.ts';
import { JSON_SCHEMA } from './json.ts';
import { remarksOn } from './keys.ts';

/** All nodes as one JSON document on one line. It has patterns, never a name of a key or a value. docs/cli-json.md lists every field. */
export function keysJson(at: number, stage: string, surveys: readonly NodeSurvey[]): string {
  return JSON.stringify({ schema: JSON_SCHEMA, at: isoText(at), stage, nodes: surveys.map(nodeDocument) });
}

function nodeDocument({ instance, node, observation, result }: NodeSurvey) {
  const about = {
    instance,
    node,
    status: result.kind,
    role: observation?.replication.role,
    engine: observation && engineText(observation.engine),
  };
  if (result.kind === 'same-data') return { ...about, sameDataAs: result.as };
  if (result.kind === 'failed') return { ...about, problem: result.message };
  if (result.kind === 'interrupted') return about;
  const { report, sample } = result;
  const { findings, population, drawn, distinct, bytes, dataset, patterns, others, quantum } = report;
  const remarks = remarksOn(report, sample, observation?.engine);
  return {
    ...about,
    ended: { reason: sample.end.kind, text: samplingEndText(sample.end) },
    keys: population,
    drawn,
    distinct,
    bytes,
    dataset,
    quantum,
    cost: sample.cost,
    remarks: remarks.length === 0 ? undefined : remarks,
    patterns,
    others,
    findings: findings.map((finding) => ({ ...finding, ...keyAdvice(finding) })),
  };
}
