import { relative, resolve } from 'node:path';
import { type NodeAddress, printSecretReference } from '../../core/config/address.ts';
import type { InstanceConfig } from '../../core/config/schema.ts';
import { type Answer, isFault } from '../../core/domain/audit.ts';
import { engineText } from '../../core/domain/engine.ts';
import { bytesText, isoText, ratioText, sentence } from '../../core/format/units.ts';
import { wrapText } from '../../core/format/wrap.ts';
import type { NodeAudit } from '../../core/reconcile/audit-node.ts';
import { type Entry, type Place, placesOf } from '../entries.ts';
import { changeLines } from './audit.ts';
import { namesOf } from './init-names.ts';

/** Of the text of a comment. */
const COLUMNS = 110;

/**
 * A config for the servers that were audited `at` (epoch ms), with what was seen as comments. It has no window: a person uncomments one. Never a
 * password: credentials refer to a variable. Certificates are named as files, whose paths begin at `folder`, where the config will be; without it at
 * the root.
 */
export function configText(at: number, entries: readonly Entry[], folder = ''): string {
  const names = namesOf(entries);
  return `${[
    ...comment(
      `Written by \`npx offpeak init\` at ${isoText(at)}, from what these servers said. config/example.yml has every key.`,
    ),
    '',
    '# defaults:',
    ...comment(
      'The zone of the windows. There is no default: a guess would put the work into the busiest hour.',
      2,
      '# ',
    ),
    '#   timezone: Europe/Berlin',
    ...comment(
      'When Offpeak may act. Without a window it only watches. Choose quiet hours; `npx offpeak audit -c <this file>` compares them with the traffic.',
      2,
      '# ',
    ),
    '#   windows:',
    '#     - { days: daily, start: "02:00", duration: 3h }',
    '',
    'instances:',
    ...entries.flatMap((entry, index) => instanceLines(entry, names[index] ?? '', folder)),
    ...comment('Of a deployed stack only: who gets alerts and alarms.'),
    '# notifications:',
    '#   emails: [redis-team@example.org]',
  ].join('\n')}\n`;
}

function instanceLines({ nodes, typed, place }: Entry, id: string, folder: string): readonly string[] {
  const [first] = typed;
  const credentials = first ? credentialLines(first, id) : [];
  return [
    ...nodes.flatMap((node) => seenLines(node)),
    `  - id: ${id}`,
    ...placeLines(place, placesOf(typed), credentials),
    ...credentials,
    ...tlsLines(typed, folder),
    ...limitLines(nodes),
    '',
  ];
}

/** Its nodes, or what finds them at each tick. */
function placeLines(
  place: Place,
  addresses: readonly NodeAddress[],
  credentials: readonly string[],
): readonly string[] {
  const urls = addresses.map(({ id, tls }) => quoted(`${tls ? 'rediss' : 'redis'}://${id}`));
  // What a config accepts.
  const list = `[${urls.slice(0, 16).join(', ')}]`;
  switch (place.kind) {
    case 'nodes':
      return urls.length === 1 ? [`    url: ${urls[0]}`] : ['    nodes:', ...urls.map((url) => `      - ${url}`)];
    case 'cluster':
      return [
        `    # A Cluster of ${place.shards} shards with ${place.size} nodes. Each tick finds them anew; npx offpeak discover lists them.`,
        `    discover: { cluster: { seeds: ${list} } } # more seeds help where one is away`,
      ];
    case 'sentinel':
      return [
        '    # Each tick asks the sentinels for the primary and its replicas; npx offpeak discover lists them.',
        '    discover:',
        '      sentinel:',
        `        name: ${quoted(place.name)}`,
        `        sentinels: ${list} # name all of them: the first that answers counts`,
        ...credentials.map((line) => `    ${line}`),
      ];
  }
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function seenLines({ node, facts, problem, answers }: NodeAudit): readonly string[] {
  if (!facts) return comment(`${node}: not audited: ${problem?.message ?? ''}`, 2);
  const { observation, diagnosis, inquiry } = facts;
  const { usedMemory, usedMemoryRss, maxmemory } = observation.memory;
  const size = (name: string, bytes: number | undefined) =>
    bytes === undefined ? [] : [`${name} ${bytesText(bytes)}`];
  const seen = [
    engineText(observation.engine),
    observation.replication.role,
    ...size('RSS', usedMemoryRss),
    ...size('used', usedMemory),
    ...(diagnosis.ratio === undefined ? [] : [`ratio ${ratioText(diagnosis.ratio)}`]),
    ...size('external fragmentation', diagnosis.layers?.externalFragmentation),
    ...size('maxmemory', maxmemory),
    ...Object.entries({ ...observation.defrag.settings, ...inquiry.settings }).flatMap(([name, value]) =>
      SHOWN.includes(name) ? [`${name} ${value === '' ? '""' : value}`] : [],
    ),
  ];
  return [
    ...comment(`${node}: ${seen.join(', ')}`, 2),
    ...answers.flatMap(({ rule, answer }) => findingLines(rule, answer)),
  ];
}

const SHOWN = ['activedefrag', 'hz', 'maxmemory-policy', 'jemalloc-bg-thread', 'save', 'appendonly'];

function findingLines(rule: string, answer: Answer): readonly string[] {
  // Advice is for a server without Offpeak.
  if (answer.kind !== 'finding' || !isFault(answer)) return [];
  const { severity, evidence, remedy, changes = [] } = answer;
  return [
    ...comment(`${severity}: ${rule}: ${evidence}. ${sentence(remedy)}`, 2),
    // What Offpeak's own config lacks stands below, as keys.
    ...changes
      .filter(({ kind }) => kind !== 'config')
      .flatMap((change) => changeLines(change).map((line) => `  #   ${line}`)),
  ];
}

/** What was typed stays outside of the file. */
function credentialLines({ credentials }: InstanceConfig, id: string): readonly string[] {
  const { username, password } = credentials ?? {};
  if (username === undefined && password === undefined) return [];
  const variable = `${id.toUpperCase().replaceAll('-', '_')}_REDIS_PASSWORD`;
  return [
    '    credentials:',
    ...(username === undefined ? [] : [`      username: ${quoted(username)}`]),
    ...(password === undefined
      ? []
      : [
          `      password: ${printSecretReference({ source: 'env', name: variable })} # what is deployed reads ssm: and secretsmanager: only`,
        ]),
  ];
}

/** The files that were typed, by their paths from the folder of the config. */
function tlsLines(instances: readonly InstanceConfig[], folder: string): readonly string[] {
  const tls = instances.find((one) => one.tls !== undefined)?.tls;
  if (!tls) return [];
  const files = (['ca', 'cert', 'key'] as const).flatMap((name) => {
    const reference = tls[name];
    if (reference?.source !== 'file') return [];
    const path = folder === '' ? resolve(reference.path) : relative(folder, resolve(reference.path));
    return [`      ${name}: ${quoted(printSecretReference({ source: 'file', path }))}`];
  });
  return ['    tls: # what is deployed reads ssm: and secretsmanager: only', ...files];
}

function limitLines(group: readonly NodeAudit[]): readonly string[] {
  const limits = group.flatMap(({ facts }) => facts?.instance.memoryLimit ?? []);
  if (limits.length > 0) return [`    memoryLimit: ${Math.min(...limits)}B`];
  const machine = group.flatMap(({ facts }) => facts?.diagnosis.limit?.bytes ?? [])[0];
  const known = machine === undefined ? '' : `; the machine has ${bytesText(machine)}`;
  return [
    `    # memoryLimit: 6GiB # the limit of the container, which no server knows: docs/memory.md says how to find it${known}`,
  ];
}

/** `before` what the indentation follows. */
function comment(text: string, indent = 0, before = ''): readonly string[] {
  return wrapText(text, COLUMNS - indent).map((line) => `${before}${' '.repeat(indent)}# ${line}`);
}
