import { isLoopback } from '../config/clear-text.ts';
import type { Answer } from '../domain/audit.ts';
import { durationText } from '../format/units.ts';
import { CONFIG_REFUSED, finding, fine, type NodeFacts, notAsked, type Rule, unknown } from './facts.ts';

// The way to the server: the user's rights, encryption, who else may in, and how long an answer takes.

export const ACCESS_RULES: readonly Rule<NodeFacts>[] = [
  { id: 'rights', title: 'the user may do what Offpeak needs', judge: rights },
  { id: 'excess-rights', title: 'the user may do no harm', judge: excessRights },
  { id: 'encryption', title: 'passwords and data are encrypted on the way', judge: encryption },
  { id: 'open-access', title: 'a password protects the server', judge: openAccess },
  { id: 'latency', title: 'the server answers quickly from here', judge: latency },
];

/** What each right is for; docs/deploy.md has the whole. */
const NEEDED: Readonly<Record<string, string>> = {
  info: 'every check',
  'memory|purge': 'purges',
  'config|get': 'defrags',
  'config|set': 'defrags',
  'latency|latest': 'the watch over maxStall',
  'latency|history': 'the watch over maxStall',
  'client|setname': 'the name in CLIENT LIST',
  ping: 'the wait before a purge',
  'cluster|info': 'starts on nodes of a Cluster',
  'cluster|nodes': 'starts on nodes of a Cluster',
};

function rights({ observation, inquiry, defragSupport, instance }: NodeFacts): Answer {
  const refused = new Set([
    ...observation.refused,
    ...(defragSupport === 'refused' ? ['config|set'] : []),
    ...Object.entries(inquiry.rights).flatMap(([name, isAllowed]) => (isAllowed ? [] : [name])),
  ]);
  const unused = [
    ...(instance.defrag.enabled ? [] : ['config|get', 'config|set', 'latency|latest', 'latency|history']),
    ...(instance.purge.enabled ? [] : ['memory|purge', 'ping']),
  ];
  const missing = Object.keys(NEEDED).filter((name) => refused.has(name) && !unused.includes(name));
  if (missing.length > 0) {
    const text = missing.map((name) => `+${name} (${NEEDED[name]})`).join(', ');
    const user = inquiry.user ?? instance.credentials?.username ?? 'default';
    const remedy =
      'grant them. On a managed service CONFIG stays blocked: set defrag.through: parameter-group (ElastiCache, MemoryDB), or defrag.enabled: false';
    const line = `ACL SETUSER ${user} ${missing.map((name) => `+${name}`).join(' ')}`;
    return finding('warning', `the server refuses ${text}`, remedy, { kind: 'acl', line });
  }
  if (Object.keys(inquiry.rights).length === 0)
    return unknown(
      'whether MEMORY PURGE is allowed: the user may not ask (ACL WHOAMI, ACL DRYRUN of Redis 7.0). The first purge shows it',
    );
  return fine(`the user ${inquiry.user ?? 'of this connection'} may do all that Offpeak needs`);
}

function excessRights({ instance, inquiry }: NodeFacts): Answer {
  if (instance.credentials?.username === undefined) return notAsked('Offpeak has no user of its own here');
  const mayFlush = inquiry.rights.flushall;
  if (mayFlush === undefined) return fine('the user may not even ask for its rights');
  return mayFlush
    ? finding(
        'advice',
        `the user ${inquiry.user} may do more than Offpeak needs, FLUSHALL for one`,
        'give it the rights of docs/deploy.md alone: it needs no keys',
        {
          kind: 'acl',
          line: `ACL SETUSER ${inquiry.user} -@all +info +memory|purge +config|get +config|set +latency|latest +latency|history +client|setname +ping`,
        },
      )
    : fine(`the user ${inquiry.user} may not delete data`);
}

function encryption({ instance, node }: NodeFacts): Answer {
  if (node.tls) return fine('the connection is encrypted (rediss://)');
  if (isLoopback(node)) return notAsked('the connection does not leave this machine');
  if (instance.credentials?.password === undefined)
    return finding(
      'advice',
      'the connection is not encrypted (redis://)',
      'use rediss://, where the network is not trusted',
    );
  return instance.credentials.unencrypted === 'accepted'
    ? fine('the config accepts that the password is not encrypted')
    : finding(
        'warning',
        'the password crosses the network unencrypted (redis://)',
        'use rediss://, or set `unencrypted: accepted` where that network is trusted',
        { kind: 'config', line: `url: rediss://${node.id}` },
      );
}

function openAccess({ instance, inquiry }: NodeFacts): Answer {
  if (instance.credentials?.password !== undefined)
    return notAsked('Offpeak signs in; whether a password is needed is not tried');
  const { bind, 'protected-mode': isProtected } = inquiry.settings ?? {};
  if (bind === undefined || isProtected === undefined) return unknown(CONFIG_REFUSED);
  const isLocal = bind.split(/\s+/).every((address) => /^-?(127\.|::1$|localhost$)/.test(address)) && bind !== '';
  if (isLocal || isProtected === 'yes')
    return fine(`bind is ${bind || '(all addresses)'}, protected-mode is ${isProtected}`);
  return finding(
    'critical',
    `the server needs no password, listens on ${bind || 'all addresses'}, and protected-mode is no: anyone who reaches it may read and delete the data`,
    'give the default user a password, or listen on trusted addresses only',
    { kind: 'setting', line: 'protected-mode yes' },
  );
}

/** Half of them; a check takes one round trip, a start some ten. */
const SLOW_MS = 50;

function latency({ inquiry }: NodeFacts): Answer {
  const sorted = inquiry.waits.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  const [median, p99] = [at(0.5), at(0.99)];
  if (median === undefined || p99 === undefined) return unknown('no PING was answered');
  const seen = `of ${sorted.length} PINGs, half were answered within ${durationText(median)}, 99 % within ${durationText(p99)}`;
  return median > SLOW_MS
    ? finding(
        'warning',
        seen,
        'run Offpeak nearer to the server (its region, its VPC), or find what keeps the main thread busy: SLOWLOG GET, LATENCY LATEST',
      )
    : fine(seen);
}
