import { createHash } from 'node:crypto';
import { MIB } from '../../../core/config/units.ts';
import { infoSection, infoText } from '../info-texts.ts';

const SECTIONS = [
  'server',
  'memory',
  'persistence',
  'replication',
  'cpu',
  'keyspace',
  'stats',
  'commandstats',
  'cluster',
];
const RUN_ID = '0123456789abcdef0123456789abcdef01234567';
/** What an acting node holds for nothing: more than any `minReclaim`, and less than a purge of 100 ms returns. */
const EXCESS = 200 * MIB;

/** One captured INFO text, with the places at which nodes differ: it is parsed once for many nodes. */
interface Template {
  readonly whole: string;
  readonly sections: ReadonlyMap<string, string>;
}

function template(name: string, role = 'role:master'): Template {
  const whole = infoText(name)
    .replace('role:master', role)
    .replace(/^run_id:.*$/m, `run_id:${RUN_ID}`)
    .replace(/^uptime_in_seconds:.*$/m, 'uptime_in_seconds:864000')
    .replace(/^instantaneous_ops_per_sec:.*$/m, 'instantaneous_ops_per_sec:3');
  return { whole, sections: new Map(SECTIONS.map((name) => [name, infoSection(whole, name)])) };
}

const QUIET = ['redis-7.0.15-empty', 'redis-8.2.3', 'redis-7.0.15'].map((name) => template(name));
/** A replica: a primary would be left alone, since none of its replicas is connected. */
const REPLICA = [
  'role:slave',
  'master_link_status:up',
  'master_last_io_seconds_ago:1',
  'master_sync_in_progress:0',
  'slave_read_repl_offset:0',
  'slave_repl_offset:0',
].join('\n');
const ACTING = template('redis-7.0.15-empty', REPLICA);

/** What one server of a fleet says of itself. What CONFIG SET and MEMORY PURGE do to it shows in INFO. */
export interface NodeInfo {
  info(section: string): string;
  readonly settings: ReadonlyMap<string, string>;
  set(name: string, value: string): void;
  purge(): void;
}

const SETTINGS: readonly (readonly [string, string])[] = [
  ['activedefrag', 'no'],
  ['active-defrag-cycle-min', '1'],
  ['active-defrag-cycle-max', '25'],
  ['active-defrag-threshold-lower', '10'],
  ['active-defrag-threshold-upper', '100'],
  ['active-defrag-ignore-bytes', '104857600'],
  ['active-defrag-max-scan-fields', '1000'],
  ['hz', '10'],
  ['latency-monitor-threshold', '0'],
];

/** `address`: names the process. A node that `acts` has free pages, or, every other one of them, external fragmentation. */
export function nodeInfo(index: number, address: string, acts: boolean): NodeInfo {
  const runId = createHash('sha1').update(address).digest('hex');
  const { whole, sections } = acts ? ACTING : (QUIET[index % QUIET.length] ?? ACTING);
  const settings = new Map(SETTINGS);
  const isFragmented = acts && index % 100 < 50;
  const excess = { freePages: acts && !isFragmented ? EXCESS : 0, fragmentation: isFragmented ? EXCESS : 0 };
  let hits = 0;
  const filled = (text: string, section: string) => {
    // A quarter with each observation: a run takes some of them.
    if (section === 'memory' && settings.get('activedefrag') === 'yes' && excess.fragmentation > 0) {
      excess.fragmentation = Math.max(0, excess.fragmentation - EXCESS / 4);
      hits += 100_000;
    }
    const { freePages, fragmentation } = excess;
    return text
      .replace(RUN_ID, runId)
      .replace(
        /^(allocator_active|allocator_frag_bytes|allocator_resident|used_memory_rss):(\d+)$/gm,
        (_, name: string, bytes: string) => {
          const isLive = name === 'allocator_active' || name === 'allocator_frag_bytes';
          const more = isLive ? fragmentation : fragmentation + freePages;
          return `${name}:${Number(bytes) + more}`;
        },
      )
      .replace(/^active_defrag_(hits|misses|key_hits|key_misses):0$/gm, `active_defrag_$1:${hits}`);
  };
  return {
    // Those that never change cost no more than a copy.
    info: (section) => {
      const text = sections.get(section) ?? (section === '' || section === 'all' ? whole : '');
      return acts ? filled(text, section) : text.replace(RUN_ID, runId);
    },
    settings,
    set: (name, value) => void settings.set(name, value),
    purge: () => {
      excess.freePages = 0;
    },
  };
}
