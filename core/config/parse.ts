import * as z from 'zod/mini';
import { templatesExist } from './discover-rules.ts';
import { type ConfigDocument, readDocument } from './document.ts';
import { type Draft, draftInstances } from './drafts.ts';
import { type ConfigProblem, type Finding, toProblem } from './problem.ts';
import { applyRules } from './rules.ts';
import { type Config, fileSchema, type InstanceConfig, instanceSchema } from './schema.ts';
import { toFindings } from './shape.ts';
import { applyStackRules, type Purpose } from './stack-rules.ts';

/** A configuration, or everything that is wrong with it. */
type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

const STAGE = /^[a-z][a-z0-9-]{0,19}$/;

/**
 * Reads `config/<stage>.yml`. Never throws: it returns all problems at once, in the order of the
 * file, and without any secret that the text may hold. `deploy` refuses what works in a terminal only.
 */
export function parseConfig(text: string, stage: string, purpose: Purpose = 'local'): ConfigResult {
  const document = readDocument(text);
  const { findings, config } = judge(document, purpose);
  const problems = [
    ...checkStage(stage),
    ...document.problems,
    ...findings.map((finding) => toProblem(finding, document.content, document.lineOf)),
  ].sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  if (problems.length === 0 && config !== undefined) return { ok: true, config: { stage, ...config } };
  return { ok: false, problems };
}

interface Judgement {
  readonly findings: readonly Finding[];
  /** Only when there are no findings. */
  readonly config?: Omit<Config, 'stage'>;
}

function judge({ content, problems }: ConfigDocument, purpose: Purpose): Judgement {
  if (content === undefined && problems.length > 0) return { findings: [] };
  if (content === null) return { findings: [EMPTY] };
  const shape = z.safeParse(fileSchema, content);
  const issues = shape.error?.issues ?? [];
  const drafts = draftInstances(content, issues);
  const findings = [
    ...toFindings(issues),
    ...templatesExist(content),
    ...applyRules(drafts),
    ...applyStackRules(content, issues, drafts, purpose),
  ];
  if (findings.length > 0 || shape.data === undefined) return { findings };
  return { findings, config: toConfig(shape.data, drafts) };
}

function toConfig(file: z.output<typeof fileSchema>, drafts: readonly Draft[]): Omit<Config, 'stage'> {
  const { defaults, maxDefragsAtOnce, schedule, metrics, notifications, fleet, runbook, logRetention } = file;
  const timezone = schedule.timezone ?? defaults?.timezone ?? 'UTC';
  return {
    instances: drafts.map(toInstance),
    maxDefragsAtOnce,
    schedule: { every: schedule.every, timezone },
    metrics,
    notifications,
    fleet,
    ...(runbook !== undefined && { runbook }),
    logRetention,
  };
}

const EMPTY: Finding = {
  path: [],
  accepted: 'a mapping with `instances`, and `defaults` for what they share',
  message: 'the file is empty',
};

function toInstance({ written }: Draft): InstanceConfig {
  const { url, nodes = [], ...rest } = z.parse(instanceSchema, written);
  return { ...rest, nodes: url === undefined ? nodes : [url] };
}

function checkStage(stage: string): ConfigProblem[] {
  if (STAGE.test(stage)) return [];
  const value = JSON.stringify(stage.slice(0, 40));
  const accepted = 'a lower-case letter, then up to 19 letters, digits or hyphens';
  return [{ path: 'stage', value, accepted, message: `${value} is not the name of a stage` }];
}
