import { readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { JOB_METRICS } from '../core/domain/job-metrics.ts';
import type { MetricDefinition } from '../core/domain/metric.ts';
import { NODE_METRICS } from '../core/domain/node-metrics.ts';

const PAGE = new URL('../docs/metrics.md', import.meta.url);
const MARKED = /(<!-- metrics: [^>]*-->\n)[\s\S]*?(<!-- \/metrics -->)/;

function tableOf(definitions: readonly MetricDefinition[]): string {
  const rows = definitions.map(({ name, unit, set, meaning }) => `| \`${name}\` | ${unit} | ${set} | ${meaning} |`);
  return ['| metric | unit | set | meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
}

/** UPDATE_DOCS=1 writes the table; without it, a page that lags behind the contract fails. */
it("the table of metrics is the contract's", () => {
  const text = readFileSync(PAGE, 'utf8');
  const table = tableOf([...Object.values(NODE_METRICS), ...Object.values(JOB_METRICS)]);
  const current = text.replace(MARKED, `$1${table}$2`);
  if (process.env.UPDATE_DOCS) writeFileSync(PAGE, current);
  expect(text.match(MARKED)).not.toBeNull();
  expect(process.env.UPDATE_DOCS ? current : text).toBe(current);
});
