import { systemClock } from '../../core/adapters/clock.ts';
import { auditFleet, type FleetAudit } from '../../core/reconcile/audit-fleet.ts';
import { EXIT } from '../exit.ts';
import { scopeOf } from '../fleet.ts';
import { type AuditOptions, UsageError } from '../options.ts';
import { stderrLog, terminalPorts } from '../ports.ts';
import { auditLines, hasFaults } from '../render/audit.ts';
import { auditJson } from '../render/audit-json.ts';
import { junitXml } from '../render/junit.ts';
import { styleFor } from '../render/style.ts';
import { subjectOf } from '../subject.ts';

/** Exit status 0: nothing is wrong; 1: a finding of severity warning or critical, or a node could not be audited; 2: usage. */
export async function audit(addresses: readonly string[], options: AuditOptions): Promise<void> {
  if (options.json && options.junit) throw new UsageError('audit: accepted is one of --json and --junit');
  const isConfigured = addresses.length === 0;
  const { config, ids, store, ...access } = await subjectOf('audit', addresses, options);
  const { ports } = await terminalPorts(store, systemClock(), stderrLog(options), access);
  const found = await auditFleet(config, ports, { scope: await scopeOf(config, ids, ports), isConfigured });
  process.stdout.write(printed(found, config.stage, options));
  process.exitCode = hasFaults(found) ? EXIT.failed : EXIT.fine;
}

function printed(found: FleetAudit, stage: string, options: AuditOptions): string {
  const { isConfigured } = found;
  if (options.json) return `${auditJson(found, isConfigured ? stage : undefined)}\n`;
  if (options.junit) return junitXml(found, isConfigured ? stage : undefined);
  const style = styleFor(process.stdout, process.env, options);
  return `${auditLines(found, style, { isFull: options.full === true }).join('\n')}\n`;
}
