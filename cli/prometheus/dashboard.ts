import type { Config } from '../../core/config/schema.ts';
import { nodesMatcher } from './selector.ts';

interface Query {
  readonly expr: string;
  readonly legend: string;
}

interface Panel {
  readonly title: string;
  readonly about: string;
  /** As Grafana calls it. */
  readonly unit: 'bytes' | 'short' | 'ops' | 'percent';
  readonly queries: readonly Query[];
  /** Lines of the config's thresholds. */
  readonly steps?: readonly { readonly value: number; readonly color: 'orange' | 'red' }[];
}

const DATASOURCE = { type: 'prometheus', uid: '$datasource' } as const;
/** Of Grafana 9.4; newer ones read it and bring it up to date. */
const SCHEMA = 38;
const [WIDTH, HEIGHT] = [12, 8];

/**
 * A dashboard for Grafana with what to watch about fragmentation, on redis_exporter's metrics: the ratio, RSS by its layers, the defragger's
 * work. A ratio of two figures in bytes, since the one of INFO has two digits.
 */
export function dashboardJson({ stage, instances }: Config, label: string): string {
  const nodes = instances.flatMap(({ nodes }) => nodes.map(({ id }) => id));
  const panels = panelsOf(instances, label).map((panel, index) => panelDocument(panel, index));
  return JSON.stringify(
    {
      title: `Offpeak ${stage}: memory of Redis and Valkey`,
      uid: `offpeak-${stage}`,
      tags: ['offpeak', 'redis', 'valkey'],
      schemaVersion: SCHEMA,
      editable: true,
      refresh: '30s',
      time: { from: 'now-24h', to: 'now' },
      templating: { list: [datasourceVariable(), nodeVariable(label, nodes)] },
      panels,
    },
    null,
    2,
  );
}

function panelsOf(instances: Config['instances'], label: string): readonly Panel[] {
  const queries = queriesBy(label);
  return [...memoryPanels(instances, queries), ...defragPanels(queries)];
}

type Queries = ReturnType<typeof queriesBy>;

function queriesBy(label: string) {
  const of = (metric: string) => `redis_${metric}{${label}=~"$node"}`;
  const query = (expr: string, legend: string): Query => ({ expr, legend: `{{${label}}} ${legend}`.trimEnd() });
  return {
    each: (metric: string, legend: string) => query(of(metric), legend),
    quotient: (a: string, b: string) => query(`${of(a)} / ${of(b)}`, ''),
    difference: (a: string, b: string, legend: string) => query(`${of(a)} - ${of(b)}`, legend),
    rate: (metric: string, legend: string) => query(`rate(${of(metric)}[$__rate_interval])`, legend),
  };
}

function memoryPanels(instances: Config['instances'], { each, quotient, difference }: Queries): readonly Panel[] {
  const strictest = (of: (thresholds: Config['instances'][number]['thresholds']) => number) =>
    Math.min(...instances.map(({ thresholds }) => of(thresholds)));
  return [
    {
      title: 'RSS ÷ used memory',
      about: 'The fragmentation ratio. Small servers have a high one: the alerts ask for bytes, too.',
      unit: 'short',
      queries: [quotient('memory_used_rss_bytes', 'memory_used_bytes')],
      steps: [
        { value: strictest(({ fragmentationWarning }) => fragmentationWarning.ratio), color: 'orange' },
        { value: strictest(({ fragmentationCritical }) => fragmentationCritical.ratio), color: 'red' },
      ],
    },
    {
      title: 'Memory',
      about: 'maxmemory limits what Redis stores, the kernel what the process has.',
      unit: 'bytes',
      queries: [
        each('memory_used_bytes', 'used'),
        each('memory_used_rss_bytes', 'RSS'),
        each('memory_used_peak_bytes', 'peak'),
        each('memory_max_bytes', 'maxmemory'),
      ],
    },
    {
      title: 'Beyond the data',
      about: 'External fragmentation: defrag returns it. Free pages: a purge does. Process overhead: neither.',
      unit: 'bytes',
      queries: [
        difference('allocator_active_bytes', 'allocator_allocated_bytes', 'external fragmentation'),
        difference('allocator_resident_bytes', 'allocator_active_bytes', 'free pages'),
        difference('memory_used_rss_bytes', 'allocator_resident_bytes', 'process overhead'),
      ],
    },
  ];
}

function defragPanels({ each, rate }: Queries): readonly Panel[] {
  return [
    {
      title: 'Active defrag, CPU',
      about: 'What the defragger intends to use, 0 when it rests. It stays above 0 while a fork pauses it.',
      unit: 'percent',
      queries: [each('active_defrag_running', '')],
    },
    {
      title: 'Active defrag, values',
      about: 'Moved (hits) and left where they were (misses).',
      unit: 'ops',
      queries: [rate('defrag_hits', 'hits'), rate('defrag_misses', 'misses')],
    },
    {
      title: 'Active defrag, keys',
      about: 'Keys of which a part was moved, and others that the scan has passed.',
      unit: 'ops',
      queries: [rate('defrag_key_hits', 'hits'), rate('defrag_key_misses', 'misses')],
    },
  ];
}

function panelDocument({ title, about, unit, queries, steps = [] }: Panel, index: number) {
  return {
    id: index + 1,
    type: 'timeseries',
    title,
    description: about,
    datasource: DATASOURCE,
    gridPos: { x: (index % 2) * WIDTH, y: Math.floor(index / 2) * HEIGHT, w: WIDTH, h: HEIGHT },
    targets: queries.map(({ expr, legend }, number) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + number),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
    })),
    fieldConfig: {
      defaults: {
        unit,
        custom: { thresholdsStyle: { mode: steps.length > 0 ? 'line' : 'off' } },
        thresholds: { mode: 'absolute', steps: [{ value: null, color: 'green' }, ...steps] },
      },
      overrides: [],
    },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } },
  };
}

function datasourceVariable() {
  return { name: 'datasource', label: 'Prometheus', type: 'datasource', query: 'prometheus' };
}

/** All nodes of the stage, or all that are scraped where the config does not name them. */
function nodeVariable(label: string, nodes: readonly string[]) {
  const matcher = nodes.length === 0 ? '' : `{${nodesMatcher(label, nodes)}}`;
  return {
    name: 'node',
    label: 'Node',
    type: 'query',
    datasource: DATASOURCE,
    query: { query: `label_values(redis_up${matcher}, ${label})`, refId: 'nodes' },
    includeAll: true,
    multi: true,
    current: { text: 'All', value: '$__all' },
    refresh: 2,
    sort: 1,
  };
}
