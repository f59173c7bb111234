import { legendLines } from '../../../../cli/render/layers.ts';
import { plainPaint } from '../../../../cli/render/style.ts';
import { plan } from '../../../../core/actions/plan.ts';
import type { InstanceConfig } from '../../../../core/config/schema.ts';
import type { Diagnosis } from '../../../../core/domain/diagnosis.ts';
import { EMPTY_HISTORY, type NodeHistory } from '../../../../core/domain/node-history.ts';
import type { Facts, Plan } from '../../../../core/domain/plan.ts';
import { findingText } from '../../../../core/reporting/wording/finding.ts';
import { planText } from '../../../../core/reporting/wording/plan.ts';
import { anInstance, NOW } from '../../../support/builders.ts';
import { lookAtReport } from '../../../support/reports.ts';
import { aSituation } from '../../../support/situations.ts';

export interface Circumstances {
  readonly settings?: Readonly<Record<string, string>> | 'refused';
  readonly policy?: InstanceConfig;
  readonly memory?: Partial<NodeHistory>;
  readonly window?: Facts['window'];
}

export interface Said {
  readonly diagnosis: Diagnosis;
  readonly plan: Plan;
  /** The findings and the legend: what `check` says. */
  readonly findings: readonly string[];
  readonly holes: string;
  readonly pages: string;
  /** The plan in words. */
  readonly planned: string;
}

/** An INFO text, through all of it: look, diagnosis, plan, words. */
export async function said(info: string, { settings, policy, memory, window }: Circumstances = {}): Promise<Said> {
  const observation = await lookAtReport(info, settings);
  const situation = aSituation({
    observation,
    ...(policy && { policy }),
    ...(window && { window }),
    memory: { ...EMPTY_HISTORY, ...memory },
  });
  const { diagnosis } = situation;
  const planned = plan(situation);
  const legend = legendLines(diagnosis, { paint: plainPaint, unicode: false });
  const noteOf = (layer: string) =>
    /\s{3}(\S.*)$/.exec(legend.find((line) => line.includes(layer))?.slice(30) ?? '')?.[1];
  return {
    diagnosis,
    plan: planned,
    findings: diagnosis.findings.map((finding) => findingText(finding)),
    holes: noteOf('fragmentation') ?? '',
    pages: noteOf('free pages') ?? '',
    planned: planText(planned, 'UTC', { now: NOW, diagnosis }),
  };
}

export const withDefrag = (over: Partial<InstanceConfig['defrag']>) =>
  anInstance({ defrag: { ...anInstance().defrag, ...over } });
export const withPurge = (over: Partial<InstanceConfig['purge']>) =>
  anInstance({ purge: { ...anInstance().purge, ...over } });
