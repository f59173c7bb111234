import { markdownTable, median } from '../statistics.ts';
import { callsText, type Mix, mib, seconds, type Ticked } from './results.ts';

/** What the dispatch answers. */
export interface HandedOut {
  readonly nodes: number;
}

/** What the invocations of one function took together. */
export interface Shared extends Pick<Ticked, 'wall' | 'cpu' | 'sockets' | 'calls'> {
  readonly invocations: number;
  /** The most that one of them has held so far, in bytes. */
  readonly rss: number;
}

export interface SharedTick {
  readonly dispatch: Shared;
  readonly workers: Shared;
  /** Messages. */
  readonly batches: number;
  readonly unreachable: number;
}

export interface SharedRow {
  readonly mix: Mix;
  readonly nodes: number;
  readonly cold: SharedTick;
  /** Of the same containers, after the cold one. */
  readonly warm: readonly SharedTick[];
}

const HEAD = [
  'nodes',
  'fleet',
  'tick',
  '',
  'messages',
  'invocations',
  'wall s',
  'CPU s',
  'CPU ms for each node',
  'peak RSS MiB',
  'sockets at once',
  'calls to AWS',
  'unreachable',
];

/** Of each fleet: the dispatch and its workers, in the first tick of new containers, and in the next ones. */
export function sharedTableOf(rows: readonly SharedRow[]): string {
  return markdownTable([HEAD, ...rows.flatMap(linesOf)], 4);
}

function linesOf({ mix, nodes, cold, warm }: SharedRow): readonly (readonly string[])[] {
  return [...ticksOf('first', [cold]), ...ticksOf('next', warm)].map((line) => [
    nodes.toLocaleString('en'),
    mix,
    ...line,
  ]);

  function ticksOf(name: string, ticks: readonly SharedTick[]): readonly (readonly string[])[] {
    const last = ticks.at(-1);
    if (!last) return [];
    const line = (part: 'dispatch' | 'workers') => {
      const { invocations, rss, sockets, calls } = last[part];
      const [wall, cpu] = (['wall', 'cpu'] as const).map((one) => median(ticks.map((tick) => tick[part][one])));
      const each = (Number(cpu) / nodes).toFixed(2);
      return [
        String(invocations),
        seconds(Number(wall)),
        seconds(Number(cpu)),
        each,
        mib(rss),
        String(sockets),
        callsText(calls),
      ];
    };
    return [
      [name, 'dispatch', String(last.batches), ...line('dispatch'), ''],
      [name, 'workers', String(last.batches), ...line('workers'), String(last.unreachable)],
    ];
  }
}
