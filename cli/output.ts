import type { Alert } from '../core/domain/alert.ts';
import { DIMENSION, type Metric } from '../core/domain/metric.ts';
import { alertText } from '../core/format/alert-layout.ts';
import { bytesText, durationText } from '../core/format/units.ts';
import { wrapText } from '../core/format/wrap.ts';
import type { Tick } from '../core/reconcile/scope.ts';
import type { CommandLine } from './command-line.ts';
import type { Published } from './ports.ts';
import { MOST_PICTURES } from './render/fleet.ts';
import { tickJson } from './render/json.ts';
import { type Style, styleFor } from './render/style.ts';
import { briefLines, type Table, tickLines } from './render/tick.ts';

/**
 * Prints a tick on stdout: one JSON document on one line, or the picture for people and the messages that were sent. With a `commandLine` no
 * other tick follows: what this one leaves on is in the document, with the commands for it. `table`: what many nodes are drawn as.
 */
export function printer(
  { json, color }: { readonly json?: boolean; readonly color: boolean },
  published: Published,
  { commandLine, table }: { readonly commandLine?: CommandLine; readonly table?: Table | undefined } = {},
): (tick: Tick) => void {
  const style = styleFor(process.stdout, process.env, { color });
  const linesOf = (tick: Tick) =>
    table && tick.outcomes.length > MOST_PICTURES ? briefLines(tick, style, table) : tickLines(tick, style);
  return (tick) => {
    const alerts = published.alerts.splice(0);
    const metrics = published.metrics.splice(0);
    const lines = json
      ? [tickJson(tick, alerts, commandLine)]
      : [...linesOf(tick), ...messageLines(alerts, style), ...metricLines(metrics, style), ''];
    process.stdout.write(`${lines.join('\n')}\n`);
  };
}

/** The alerts that the job would send, or has sent, as their readers see them. */
function messageLines(alerts: readonly Alert[], { paint, unicode }: Style): readonly string[] {
  const rule = paint('faint', unicode ? '│ ' : '| ');
  return alerts.flatMap((alert) => [
    '',
    `  ${paint('strong', `message (${alert.severity}, ${alert.event})`)}`,
    ...alertText(alert)
      .trimEnd()
      .split('\n')
      .map((line) => `  ${rule}${line}`),
  ]);
}

/** The metrics, a paragraph for each node and one for the job. */
function metricLines(metrics: readonly Metric[], { paint }: Style): readonly string[] {
  const groups = Map.groupBy(metrics, ({ dimensions }) => dimensions[DIMENSION.node] ?? 'job');
  return [...groups].flatMap(([about, some]) => {
    const figures = some.map((metric) => `${metric.name} ${figure(metric)}`).join(', ');
    return ['', ...wrapText(`metrics (${about}): ${figures}`, 96).map((line) => `  ${paint('faint', line)}`)];
  });
}

function figure({ unit, value }: Metric): string {
  if (unit === 'Bytes') return bytesText(value);
  if (unit === 'Milliseconds') return durationText(value);
  return String(Math.round(value * 1000) / 1000);
}
