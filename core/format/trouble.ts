import type { InstanceConfig } from '../config/schema.ts';
import type { TroubleName } from '../config/trouble.ts';
import { bytesText, percentText } from './units.ts';

/** What to do about a trouble, for the alarms of CloudWatch and the alerts of the job. */
export const TROUBLE_NEXT: Readonly<Record<TroubleName, string>> = {
  'fragmentation-warning':
    'Look at the last plan in the log of the job: it says what Offpeak does in the next window, or why it does nothing.',
  'fragmentation-critical':
    'Look at the last plan in the log of the job: it says what Offpeak does, and when. If the next window is too late, act outside of a window.',
  'near-limit':
    'If a BGSAVE or an AOF rewrite runs, let it end and start none. Purge or defragment now if that returns enough memory. If not, give the server more memory or store less.',
  unreachable: 'Check whether the server is up, then the network, TLS and the credentials.',
};

interface Titles {
  readonly began: string;
  readonly over: string;
  /** Of an alarm that watches all nodes. */
  readonly many: string;
}

/** Titles: without figures, so that a digest of many nodes can have them too. */
export const TROUBLE_TITLES: Readonly<Record<TroubleName, Titles>> = {
  'fragmentation-warning': {
    began: 'fragmentation is above the warning ratio',
    over: 'fragmentation is no longer above the warning ratio',
    many: 'Nodes are above the warning ratio of their instance',
  },
  'fragmentation-critical': {
    began: 'fragmentation is above the critical ratio',
    over: 'fragmentation is no longer above the critical ratio',
    many: 'Nodes are above the critical ratio of their instance',
  },
  'near-limit': {
    began: 'RSS is near the memory limit',
    over: 'RSS is no longer near the memory limit',
    many: 'Nodes are near their memory limit',
  },
  unreachable: { began: 'a node does not answer', over: 'a node answers again', many: 'Nodes do not answer Offpeak' },
};

/** What the kernel does at the limit: a sentence of its own, so that it does not part the one before it. */
export const AT_THE_LIMIT = 'At the limit the kernel kills the server.';
export const ALL_AT_THE_LIMIT = 'At the limit the kernel kills them.';

/** What is compared with the limit, by who measures: redis_exporter does not publish what a running save has copied. */
const MEASURED = {
  offpeak: 'RSS and the pages that a running save has copied were',
  redis_exporter: 'RSS was',
} as const;

/** What each check has found, without a capital: `RSS was more than 1.5 times the used memory`. */
export function troubleText(
  name: TroubleName,
  { thresholds }: Pick<InstanceConfig, 'thresholds'>,
  by: keyof typeof MEASURED = 'offpeak',
): string {
  const fragmented = ({ ratio, floor }: { readonly ratio: number; readonly floor: number }) =>
    `RSS was more than ${ratio} times the used memory, and at least ${bytesText(floor)} more`;
  switch (name) {
    case 'fragmentation-warning':
      return fragmented(thresholds.fragmentationWarning);
    case 'fragmentation-critical':
      return fragmented(thresholds.fragmentationCritical);
    case 'near-limit':
      return `${MEASURED[by]} ${percentText(thresholds.rssCritical.percentOfLimit)} or more of the memory limit. ${AT_THE_LIMIT}`;
    case 'unreachable':
      return 'the server did not answer';
  }
}
