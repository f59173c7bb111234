import type { NodeAddress } from './address.ts';
import { discoveryIsOne, seedsOf, sourceIsOne } from './discover-rules.ts';
import type { Draft } from './drafts.ts';
import { IAM_USER } from './iam.ts';
import type { Finding } from './problem.ts';
import { type Path, showPath } from './show.ts';

/** What must hold between the keys of one instance. */
interface Rule {
  /** The keys that it judges: it is skipped where one of them is malformed, because that is a problem of its own. */
  readonly reads: readonly string[];
  readonly judge: (draft: Draft) => Finding[];
}

const hasOneSource: Rule = { reads: ['url', 'nodes', 'discover'], judge: sourceIsOne };
const hasOneDiscovery: Rule = { reads: ['discover'], judge: discoveryIsOne };

const tlsNeedsRediss: Rule = {
  reads: ['url', 'nodes', 'discover', 'tls'],
  judge(draft) {
    // Also where `tls` comes from `defaults`: with a redis: address the password would be sent in clear, against the intent.
    const plain = [...addressesOf(draft), ...seedsOf(draft).cluster].find(({ address }) => !address.tls);
    if (draft.settings.tls === undefined || plain === undefined) return [];
    const message = `\`tls\` is set (${showPath(draft.placeOf('tls'))}), but ${plain.address.id} is a redis: address`;
    return [{ path: plain.path, accepted: 'rediss:// addresses where `tls` is set', message }];
  },
};

/** A part of a client certificate is of no use without the others. */
const certificateIsWhole: Rule = {
  reads: ['tls'],
  judge({ settings: { tls }, placeOf }) {
    const missing = (has: 'cert' | 'key' | 'passphrase', needs: 'cert' | 'key', accepted: string): Finding[] => {
      if (tls?.[has] === undefined || tls[needs] !== undefined) return [];
      const path = [...placeOf('tls'), needs];
      return [{ path, accepted, message: `is missing: \`tls.${has}\` is of no use without it` }];
    };
    return [
      ...missing('cert', 'key', 'a reference to the private key of `tls.cert`, like file:certs/client.key'),
      ...missing('key', 'cert', 'a reference to the certificate of `tls.key`, like file:certs/client.pem'),
      ...missing('passphrase', 'key', 'a reference to the private key that the passphrase opens'),
    ];
  },
};

const NEEDS_USER = 'a token of IAM is for one user, and there is no default';
const USER_ID = 'the id of the user, which with IAM is also its name: letters, digits and hyphens, a letter first';
const GROUP_OF = {
  elasticache: '{ elasticache: <id of the replication group> }',
  memorydb: '{ memorydb: <name of the cluster> }',
} as const;

/** AWS refuses each of these with WRONGPASS, which says nothing of the cause. */
const iamIsWhole: Rule = {
  reads: ['url', 'nodes', 'credentials'],
  judge(draft) {
    const { iam, username, password } = draft.settings.credentials ?? {};
    if (iam === undefined) return [];
    const at = (key: string) => [...draft.placeOf('credentials'), key];
    const addresses = addressesOf(draft);
    const plain = addresses.find(({ address }) => !address.tls);
    const finding = (path: Path, accepted: string, message: string): Finding => ({ path, accepted, message });
    return [
      username !== undefined && IAM_USER.test(username)
        ? []
        : finding(
            at('username'),
            USER_ID,
            username === undefined ? `is missing: ${NEEDS_USER}` : 'is not the id of a user with IAM',
          ),
      password === undefined ? [] : finding(at('password'), 'one of `password` and `iam`', '`iam` is set as well'),
      plain === undefined
        ? []
        : finding(
            plain.path,
            'rediss:// addresses where `credentials.iam` is set',
            `${plain.address.id} is a redis: address, and AWS takes a token of IAM over TLS only`,
          ),
      iam.group !== undefined || addresses.length === 0
        ? []
        : finding(
            at('iam'),
            GROUP_OF[iam.service],
            'names no group, and the nodes are not found by discovery, which would know it',
          ),
    ].flat();
  },
};

const nodesShareScheme: Rule = {
  reads: ['nodes', 'discover'],
  judge(draft) {
    const { cluster, sentinel } = seedsOf(draft);
    const listed = draft.settings.nodes === undefined ? [] : addressesOf(draft);
    return [listed, cluster, sentinel].flatMap(([first, ...others]): Finding[] => {
      const odd = others.find(({ address }) => address.tls !== first?.address.tls);
      if (odd === undefined) return [];
      const message = 'redis: and rediss: are mixed in one instance';
      return [{ path: odd.path, accepted: 'one scheme for all nodes of an instance', message }];
    });
  },
};

const windowsNeedTimezone: Rule = {
  reads: ['windows', 'timezone'],
  judge({ settings: { windows, timezone }, placeOf }) {
    if (windows.length === 0 || timezone !== undefined) return [];
    // Reported where the windows are: one missing zone in `defaults` is one problem, not one for each instance.
    const path = [...placeOf('windows').slice(0, -1), 'timezone'];
    const message = 'is required: the windows need a time zone, and Offpeak does not guess one';
    return [{ path, accepted: 'an IANA time zone, like Europe/Berlin or UTC', message }];
  },
};

const groupNeedsDiscovery: Rule = {
  reads: ['discover', 'defrag'],
  judge({ settings: { discover, defrag }, placeOf }) {
    if (defrag.through !== 'parameter-group' || discover?.elasticache || discover?.memorydb) return [];
    const message = 'is parameter-group, but only discovery by elasticache or memorydb knows the group of a node';
    return [{ path: [...placeOf('defrag'), 'through'], accepted: 'config here, which is the default', message }];
  },
};

const criticalIsAboveWarning: Rule = {
  reads: ['thresholds'],
  judge({ settings: { thresholds }, placeOf }) {
    const warning = thresholds.fragmentationWarning.ratio;
    const critical = thresholds.fragmentationCritical.ratio;
    if (critical >= warning) return [];
    const message = `the critical ratio, ${critical}, is below the warning ratio, ${warning}`;
    const path = [...placeOf('thresholds'), 'fragmentationCritical', 'ratio'];
    return [{ path, accepted: `a ratio of at least ${warning}`, message }];
  },
};

const RULES = [
  hasOneSource,
  hasOneDiscovery,
  tlsNeedsRediss,
  certificateIsWhole,
  iamIsWhole,
  nodesShareScheme,
  windowsNeedTimezone,
  groupNeedsDiscovery,
  criticalIsAboveWarning,
];

/** All contradictions between keys and between instances; the same finding about `defaults` comes once. */
export function applyRules(drafts: readonly Draft[]): Finding[] {
  const within = drafts.flatMap((draft) =>
    RULES.filter(({ reads }) => !reads.some((key) => draft.malformed.has(key))).flatMap(({ judge }) => judge(draft)),
  );
  const findings = [...within, ...idsAreUnique(drafts), ...nodesAreUnique(drafts)];
  return [...new Map(findings.map((finding) => [`${showPath(finding.path)} ${finding.message}`, finding])).values()];
}

function idsAreUnique(drafts: readonly Draft[]): Finding[] {
  const named = drafts.flatMap(({ settings: { id }, index }) =>
    id === undefined ? [] : [{ name: id, path: ['instances', index, 'id'] }],
  );
  return findRepeated(named, 'an id that no other instance has');
}

/** Two jobs on one server would undo each other's settings, and metrics and alarms would count it twice. */
function nodesAreUnique(drafts: readonly Draft[]): Finding[] {
  const named = drafts.flatMap((draft) => addressesOf(draft).map(({ address, path }) => ({ name: address.id, path })));
  return findRepeated(named, 'each node once, in one instance');
}

/** Whatever the case of a name. */
export function findRepeated(all: readonly { name: string; path: Path }[], accepted: string): Finding[] {
  const first = new Map<string, Path>();
  return all.flatMap(({ name, path }): Finding[] => {
    const earlier = first.get(name.toLowerCase());
    if (earlier === undefined) first.set(name.toLowerCase(), path);
    return earlier === undefined ? [] : [{ path, accepted, message: `${name} is already at ${showPath(earlier)}` }];
  });
}

function addressesOf({ settings: { url, nodes }, placeOf }: Draft): { address: NodeAddress; path: Path }[] {
  const listed = (nodes ?? []).map((address, index) => ({ address, path: [...placeOf('nodes'), index] }));
  return url === undefined ? listed : [{ address: url, path: placeOf('url') }, ...listed];
}
