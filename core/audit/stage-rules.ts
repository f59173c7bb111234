import { MINUTE } from '../config/units.ts';
import type { Answer, Change } from '../domain/audit.ts';
import { bytesText, countText, durationText, percentText } from '../format/units.ts';
import { finding, fine, type NodeFacts, notAsked, type Rule, type StageFacts, unknown } from './facts.ts';

// What the config says, beside what its nodes say.

/** Of each node that a config names. */
export const CONFIGURED_RULES: readonly Rule<NodeFacts>[] = [
  { id: 'window-traffic', title: 'the windows are where the server is quiet', judge: traffic },
  { id: 'alarms', title: 'the alarms of the node can go off in time', judge: alarms },
];

/** Of the stage, once. */
export const STAGE_RULES: readonly Rule<StageFacts>[] = [
  { id: 'discovery', title: 'the nodes of each instance are found', judge: discovery },
  { id: 'notifications', title: 'alarms and alerts reach a person', judge: notifications },
  { id: 'replicas', title: 'the config has all nodes of each instance', judge: replicas },
  { id: 'stage-tick', title: 'the job checks often enough for its alarms', judge: ticks },
];

function traffic({ instance, isConfigured, window, load }: NodeFacts): Answer {
  if (!isConfigured || instance.windows.length === 0) return notAsked('there is no window');
  const { maxMainThreadCpu, maxOpsPerSecond } = instance;
  const { cpu, opsPerSecond } = load;
  if (cpu === undefined) return unknown('the CPU of the main thread could not be measured');
  const commands = opsPerSecond === undefined ? '' : `, with ${countText(opsPerSecond)} commands a second`;
  const seen = `the main thread uses ${percentText(cpu)} of a processor now${commands}`;
  const isBusy = cpu > maxMainThreadCpu || (maxOpsPerSecond !== undefined && (opsPerSecond ?? 0) > maxOpsPerSecond);
  const limit = `maxMainThreadCpu is ${percentText(maxMainThreadCpu)}`;
  if (!isBusy) return fine(`${seen}; ${limit}${window.open ? ', and a window is open' : ', and no window is open'}`);
  if (!window.open)
    return unknown(`${seen}, above the limit, and no window is open now: run the audit again inside of one`);
  return finding(
    'warning',
    `${seen} inside of a window, and ${limit}: the guard holds up every action`,
    'choose hours with less traffic, or raise the limit',
    { kind: 'config', line: `maxMainThreadCpu: ${Math.min(100, Math.ceil(cpu / 5) * 5)}%` },
  );
}

/** The article's critical ratio, at which half of RSS is lost. */
const LATE_RATIO = 2;

const LATE_SHARE = 95;

/** An alarm that exists and can never go off, or only when it is too late, is worse than none: it is relied on. */
function alarms({ instance, isConfigured, observation }: NodeFacts): Answer {
  if (!isConfigured) return notAsked('alarms belong to a config');
  const { memoryLimit, thresholds } = instance;
  const { fragmentationWarning, rssCritical } = thresholds;
  const late: Change[] = [];
  const seen: string[] = [];
  if (fragmentationWarning.ratio > LATE_RATIO) {
    seen.push(`the warning for fragmentation goes off above a ratio of ${fragmentationWarning.ratio}`);
    late.push({ kind: 'config', line: 'thresholds: { fragmentationWarning: { ratio: 1.5 } }' });
  }
  const most = memoryLimit ?? observation.memory.totalSystemMemory;
  if (most !== undefined && fragmentationWarning.floor >= most) {
    seen.push(
      `the floor of ${bytesText(fragmentationWarning.floor)} keeps that warning from ever going off below ${bytesText(most)}`,
    );
    late.push({ kind: 'config', line: 'thresholds: { fragmentationWarning: { floor: 100MiB } }' });
  }
  if (memoryLimit !== undefined && rssCritical.percentOfLimit > LATE_SHARE) {
    seen.push(
      `the alarm for RSS goes off at ${rssCritical.percentOfLimit} % of the limit, where a fork is enough to be killed`,
    );
    late.push({ kind: 'config', line: 'thresholds: { rssCritical: { percentOfLimit: 85 } }' });
  }
  if (late.length > 0) return finding('warning', seen.join('; '), 'use the defaults, unless you know better', ...late);
  return fine(
    'the config asks for alarms on fragmentation, on silence' +
      (memoryLimit === undefined ? '' : ', and on RSS near the limit'),
  );
}

function discovery({ config, failures }: StageFacts): Answer {
  if (!config.instances.some(({ discover }) => discover)) return notAsked('the config names its nodes itself');
  if (failures.size === 0) return fine('every discovery found nodes');
  const texts = [...failures].map(([id, why]) => `${id}: ${why}`);
  return finding('critical', texts.join('; '), 'correct `discover` of these instances: their nodes are not watched');
}

function notifications({ config }: StageFacts): Answer {
  const { emails, slack, chat } = config.notifications;
  if (emails.length > 0 || slack !== undefined)
    return fine(`${emails.length} e-mail addresses${slack === undefined ? '' : ', and Slack'}`);
  if (chat !== undefined)
    return unknown('only https subscribers of the topic get messages: the config does not say whether there are any');
  return finding(
    'warning',
    'the config names no e-mail address and no Slack: alarms and alerts reach no person',
    'name one',
    { kind: 'config', line: 'notifications: { emails: [redis-team@example.org] }' },
  );
}

function replicas({ nodes }: StageFacts): Answer {
  const short = [...Map.groupBy(nodes, ({ instance }) => instance.id)].flatMap(([id, those]) => {
    const connected = those.reduce((sum, { observation }) => sum + (observation.replication.connectedReplicas ?? 0), 0);
    const named = those[0]?.instance.nodes.length ?? 0;
    const primaries = those.filter(({ observation }) => observation.replication.role === 'primary').length;
    return connected > named - primaries
      ? [`${id}: ${connected} replicas are connected, and the config has ${named} nodes`]
      : [];
  });
  if (nodes.length === 0) return unknown('no node answered');
  return short.length === 0
    ? fine('as many replicas as the config has are connected')
    : finding(
        'warning',
        short.join('; '),
        'memory belongs to each process: name every node under `nodes`, or Offpeak neither watches nor tidies it',
      );
}

function ticks({ config }: StageFacts): Answer {
  const { every } = config.schedule;
  const shortest = Math.min(...config.instances.map(({ thresholds }) => thresholds.rssCritical.for));
  const seen = `the job checks every ${durationText(every)}`;
  return every > Math.max(shortest, 15 * MINUTE)
    ? finding(
        'advice',
        `${seen}, and the alarm for RSS asks for ${durationText(shortest)}`,
        'check more often: it costs cents',
        { kind: 'config', line: 'schedule: { every: 5m }' },
      )
    : fine(seen);
}
