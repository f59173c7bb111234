import { SECOND } from '../config/units.ts';
import type { Answer } from '../domain/audit.ts';
import type { Blocker } from '../domain/blocker.ts';
import { engineText, isLikeRedis } from '../domain/engine.ts';
import { blockerText } from '../format/blocker.ts';
import { durationText } from '../format/units.ts';
import { serverBlockers } from '../guards/server-blockers.ts';
import { CONFIG_REFUSED, finding, fine, isPersisting, type NodeFacts, notAsked, type Rule, unknown } from './facts.ts';

// The server as a whole: version, saves, replication, its machine, its users, and the way to it.

export const VERSION_RULES: readonly Rule<NodeFacts>[] = [
  { id: 'engine', title: 'Offpeak knows the engine', judge: engine },
  { id: 'version', title: 'active defrag is safe on this version', judge: version },
];

export const SERVER_RULES: readonly Rule<NodeFacts>[] = [
  { id: 'persistence', title: 'the latest saves went well', judge: persistence },
  { id: 'replication', title: 'replication is in step', judge: replication },
  { id: 'overcommit', title: 'a fork gets its memory', judge: overcommit },
  { id: 'huge-pages', title: 'a fork copies small pages', judge: hugePages },
  { id: 'fork-time', title: 'a fork does not stop the server for long', judge: forkTime },
];

function engine({ observation }: NodeFacts): Answer {
  const name = engineText(observation.engine);
  return isLikeRedis(observation.engine)
    ? fine(name)
    : finding('advice', `${name}: Offpeak only watches it`, 'nothing to do, where that is meant to be so');
}

function version({ observation }: NodeFacts): Answer {
  const { denied, service } = observation.engine;
  const name = engineText(observation.engine);
  if (!isLikeRedis(observation.engine)) return notAsked('the engine is not one that Offpeak defragments');
  if (!denied)
    return service === undefined
      ? fine(`${name}: no fault of active defrag is known`)
      : unknown(`${name}: the service has patches of its own`);
  return finding(
    'warning',
    `${name}: ${denied.why} (${denied.issue})`,
    denied.unfixed
      ? 'no release is known to be without it: Offpeak only purges'
      : `upgrade; the denial is lifted by ${denied.fixedIn}. Offpeak only purges until then`,
  );
}

/** What guards hold up an action for, as far as it is a fault and does not pass by itself. */
function faults(facts: NodeFacts, ...kinds: readonly Blocker['kind'][]): readonly Blocker[] {
  return serverBlockers(facts.observation, facts.instance).filter(({ kind }) => kinds.includes(kind));
}

function persistence(facts: NodeFacts): Answer {
  const [failing] = faults(facts, 'persistence-failing');
  if (failing)
    return finding(
      'critical',
      blockerText(failing),
      'read the log of the server (disk full, a missing right, no memory to fork), fix that, then BGSAVE or BGREWRITEAOF',
    );
  const saves = isPersisting(facts);
  if (saves === undefined)
    return facts.observation.persistence.saves === undefined
      ? unknown(CONFIG_REFUSED)
      : fine('the latest save went well');
  return fine(
    saves ? 'the latest save went well' : 'the server does not save its data, and feeds no replica: it never forks',
  );
}

function replication(facts: NodeFacts): Answer {
  const { role } = facts.observation.replication;
  const [fault] = faults(facts, 'replica-syncing', 'replica-behind');
  if (fault)
    return finding(
      'warning',
      blockerText(fault),
      'see why it is slow or cut off: its INFO replication, its log, the network',
    );
  return fine(`the role is ${role}`);
}

function overcommit(facts: NodeFacts): Answer {
  const forks = isPersisting(facts);
  if (forks === false) return notAsked('the server never forks');
  const value = facts.inquiry.machine?.overcommit;
  if (value === undefined)
    return unknown('only its machine knows vm.overcommit_memory: `sysctl vm.overcommit_memory` there should say 1');
  if (value === 1) return fine('vm.overcommit_memory is 1');
  return finding(
    'warning',
    `vm.overcommit_memory is ${value}, and the server forks to save or to feed replicas: a fork may be refused though there is memory`,
    'set it on the machine',
    { kind: 'machine', line: 'sysctl vm.overcommit_memory=1' },
  );
}

function hugePages({ inquiry, observation }: NodeFacts): Answer {
  const disabled = inquiry.settings?.['disable-thp'];
  if (disabled === 'yes') return fine('disable-thp is yes: the server switches them off for itself');
  if (!isLikeRedis(observation.engine)) return notAsked('the engine is not one of Redis');
  const pages = inquiry.machine?.hugePages;
  if (pages === undefined)
    return unknown('only its machine knows: `cat /sys/kernel/mm/transparent_hugepage/enabled` should not say [always]');
  if (pages !== 'always') return fine(`transparent huge pages are ${pages}`);
  return finding(
    'warning',
    'transparent huge pages are on for every process: a fork copies 2 MiB for each write of a few bytes, and freed pages stay',
    'disable-thp yes in redis.conf and a restart (Redis 6.2 and later), or for the machine',
    { kind: 'machine', line: 'echo madvise > /sys/kernel/mm/transparent_hugepage/enabled' },
  );
}

/** All clients wait while the page tables are copied. */
const LONG_FORK = SECOND / 2;

function forkTime({ inquiry }: NodeFacts): Answer {
  const { lastFork } = inquiry;
  if (lastFork === undefined) return unknown('the server does not report latest_fork_usec');
  if (lastFork === 0) return notAsked('there was no fork');
  const seen = `the latest fork stopped the server for ${durationText(lastFork)}`;
  return lastFork >= LONG_FORK
    ? finding(
        'warning',
        seen,
        'save on a replica, split the data over more servers, or move it off a virtual machine with slow page tables',
      )
    : fine(seen);
}
