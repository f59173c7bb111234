import type { BlockerKind } from '../../domain/blocker.ts';
import type { StopReason } from '../../domain/plan.ts';
import { blockerKindText } from '../../format/blocker.ts';
import { lookup } from '../../format/lookup.ts';

/** What follows from the reason for which a defrag was stopped. One table, so that no list forgets a reason. */
export interface StopTraits {
  /** Why the defrag was stopped, in plain words. */
  readonly says: string;
  /** The same in a few words, for a title; absent where `says` is short itself. */
  readonly brief?: string;
  /**
   * `end`: the run came to an end of its own. `wanted`: a person or the plan has cut it short, and nothing is wrong. `trouble`: something
   * that a person should know of. It decides between an info and a warning.
   */
  readonly kind: 'end' | 'wanted' | 'trouble';
  /** What the run returned is what defrag is worth on this node. */
  readonly teaches: boolean;
  /** There is something of a run to judge. */
  readonly isJudged: boolean;
  /**
   * `fully`: not again before the cooldown. `briefly`: minutes, since what ended it may soon be over, and a server that saves every few
   * minutes must not start and stop without end. `not`: the next open window may start again.
   */
  readonly cools: 'fully' | 'briefly' | 'not';
  /**
   * How it comes to rest before it is judged. `purge`: the freed pages are purged where that is worth it and allowed by its own limits,
   * else they leave by jemalloc's decay. `decay`: only that, since a person wants it quiet: a purge keeps clients waiting once more.
   * `at-once`: a person waits for it at a terminal, or nothing of the run is left to judge; the verdict names the pages that are still free.
   */
  readonly rests: 'purge' | 'decay' | 'at-once';
}

const END = { kind: 'end', teaches: true, isJudged: true, cools: 'fully', rests: 'purge' } as const;
const GUARD = { kind: 'trouble', teaches: false, isJudged: true, cools: 'briefly', rests: 'purge' } as const;
const WANTED = { kind: 'wanted', teaches: false, isJudged: true, cools: 'not', rests: 'decay' } as const;
const AT_ONCE = { ...WANTED, rests: 'at-once' } as const;

const TRAITS: Readonly<Partial<Record<StopReason, StopTraits>>> = {
  'goal-met': {
    ...END,
    says: 'the fragmentation is removed, and the rest is not worth more work',
    brief: 'the fragmentation is removed',
  },
  'no-progress': { ...END, says: 'more work would return next to nothing', brief: 'nothing more to move' },
  // Cut off, not finished: what it returned says how long it was, not what it is worth.
  'duration-spent': {
    ...GUARD,
    cools: 'fully',
    says: 'its time limit is reached (defrag.maxDuration, or the end of the window)',
    brief: 'its time limit is reached',
  },
  'stall-spent': {
    ...GUARD,
    says: 'its cycles were longer than defrag.maxStall for a minute, even with the gentlest settings',
    brief: 'its cycles were too long',
  },
  'switched-off': {
    ...GUARD,
    cools: 'fully',
    rests: 'decay',
    says: 'a person or another program switched it off',
    brief: 'it was switched off',
  },
  'server-restarted': {
    ...GUARD,
    cools: 'fully',
    rests: 'at-once',
    isJudged: false,
    says: 'the server has restarted, and has loaded its settings from its config file',
    brief: 'the server has restarted',
  },
  'window-closed': { ...WANTED, says: 'the window has closed' },
  // Every night, perhaps: nothing is wrong.
  'watch-only': { ...WANTED, says: blockerKindText('watch-only'), brief: 'it is only watched' },
  'aws-maintenance': { ...WANTED, says: blockerKindText('aws-maintenance') },
  'aws-snapshot': { ...WANTED, says: blockerKindText('aws-snapshot') },
  paused: { ...WANTED, says: 'the instance is paused' },
  disabled: { ...WANTED, says: 'defrag.enabled is false now' },
  'never-started': { ...AT_ONCE, isJudged: false, says: 'the job died before it had changed anything' },
  interrupted: { ...AT_ONCE, says: 'the job was interrupted' },
  released: { ...AT_ONCE, says: 'a person released it (offpeak release)', brief: 'a person released it' },
  'newer-version': {
    ...AT_ONCE,
    isJudged: false,
    says: 'a newer version of Offpeak started it, and this version can only end it',
    brief: 'a newer version of Offpeak started it',
  },
  // A guard's reasons, where the sentence is too long for a title.
  'unknown-engine': guard('unknown-engine', 'this engine is not known to Offpeak'),
  'persistence-failing': guard('persistence-failing', 'the server fails to save its data'),
  'swapped-out': guard('swapped-out', 'part of the data seems to be swapped out'),
  'peers-silent': guard('peers-silent', 'a node does not answer'),
  'replicas-missing': guard('replicas-missing', 'too few replicas are connected'),
  undiscovered: guard('undiscovered', 'its nodes could not be found now'),
  'cluster-down': guard('cluster-down', 'the cluster is down'),
  'cluster-refused': guard('cluster-refused', 'the server refuses CLUSTER INFO or CLUSTER NODES'),
  'group-limit': guard('group-limit', 'this shard waits for its turn'),
  'host-acting': guard('host-acting', 'this server waits for its turn'),
  'version-unseen': guard('version-unseen', 'a server of this version is under active defrag'),
  failover: guard('failover', "a failover, or the node's role has changed"),
  rehashing: guard('rehashing', 'a large hash table is being resized'),
  'eviction-pressure': guard('eviction-pressure', 'the server is short of memory for its data'),
  'peer-acting': guard('peer-acting', 'this node waits for its turn'),
  'same-server': guard('same-server', 'the config names this server twice'),
};

function guard(kind: BlockerKind, brief?: string): StopTraits {
  return { ...GUARD, says: blockerKindText(kind), ...(brief !== undefined && { brief }) };
}

/** Why the defrag was stopped, in few enough words for a title. */
export function briefReason(reason: StopReason): string {
  const { brief, says } = traitsOf(reason);
  return brief ?? says;
}

/** A reason without a row is a guard's, too. */
export function traitsOf(reason: StopReason): StopTraits {
  return lookup<StopTraits>(TRAITS, reason) ?? guard(reason as BlockerKind);
}
