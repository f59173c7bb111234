import { errorText } from '../format/error-text.ts';
import { DiscoveryFailure } from '../ports/discovery.ts';
import type { GroupReport } from '../ports/parameter-groups.ts';
import { StateUnavailable } from '../ports/state-store.ts';
import { carryOn } from './carry.ts';
import { groupsIn, type ManagedGroup } from './group.ts';
import { groupKey, type HeldGroup } from './lease.ts';
import { AnotherJob, announce, type GroupRun } from './run.ts';
import { startGroup } from './start.ts';
import { groupText } from './words.ts';

/** The groups with a lease first; then those that may be started. Never throws: what fails is a report. */
export async function reconcileGroups(
  run: GroupRun,
  leases: readonly HeldGroup[],
  mayStart: (group: ManagedGroup) => boolean,
): Promise<readonly GroupReport[]> {
  const reports: GroupReport[] = [];
  for (const held of leases) reports.push(await guarded(run, held, () => carryOn(run, held)));
  const taken = new Set(leases.map(({ key }) => key));
  const free = groupsIn(run.instances).filter((group) => !taken.has(groupKey(group)) && mayStart(group));
  for (const group of free) {
    if (run.isOver()) break;
    try {
      const report = await startGroup(run, group);
      if (report) reports.push(report);
    } catch (error) {
      // What was sent may have arrived: the next tick finds the lease, and reads what is on.
      reports.push(failedReport(run, { ...group, leased: [], line: groupText(group) }, error));
    }
  }
  return reports;
}

async function guarded(run: GroupRun, { lease }: HeldGroup, work: () => Promise<GroupReport>): Promise<GroupReport> {
  try {
    return await work();
  } catch (error) {
    const leased = lease.nodes.map(({ instance, node }) => ({ instance, node }));
    const report = failedReport(run, { ...lease, leased, line: groupText(lease) }, error);
    // While it settles, the prior values are set again already.
    if (error instanceof DiscoveryFailure && !run.storeIsDown && lease.phase !== 'settling')
      await announce(run, lease, { kind: 'failed', doing: 'restored', why: error.message }).catch(() => false);
    return report;
  }
}

function failedReport({ ports }: GroupRun, report: GroupReport, error: unknown): GroupReport {
  const isExpected = [DiscoveryFailure, StateUnavailable, AnotherJob].some((kind) => error instanceof kind);
  if (!isExpected) ports.log.error('unexpected failure on a parameter group', { group: report.group, error });
  const line = `${report.line}: ${error instanceof Error ? error.message : errorText(error)}`;
  return { ...report, line, ...(!(error instanceof AnotherJob) && { failed: true }) };
}
