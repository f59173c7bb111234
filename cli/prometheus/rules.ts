import { stringify } from 'yaml';
import type { Config, InstanceConfig } from '../../core/config/schema.ts';
import { TROUBLES, type TroubleName } from '../../core/config/trouble.ts';
import type { Milliseconds } from '../../core/config/units.ts';
import { TROUBLE_NEXT, TROUBLE_TITLES, troubleText } from '../../core/format/trouble.ts';
import { durationText, sentence } from '../../core/format/units.ts';
import { matcherOf, nodesMatcher } from './selector.ts';

/** One alerting rule, as Prometheus reads it. */
interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Of docs/runbook.md. */
const ANCHORS: Readonly<Record<TroubleName, string>> = {
  'fragmentation-warning': 'fragmentation-warning',
  'fragmentation-critical': 'fragmentation-critical',
  'near-limit': 'rss-near-the-limit',
  unreachable: 'unreachable',
};

const NAMES: Readonly<Record<TroubleName, string>> = {
  'fragmentation-warning': 'RedisFragmentationWarning',
  'fragmentation-critical': 'RedisFragmentationCritical',
  'near-limit': 'RedisNearMemoryLimit',
  unreachable: 'RedisUnreachable',
};

const RSS = 'redis_memory_used_rss_bytes';
const USED = 'redis_memory_used_bytes';

/**
 * The thresholds of a stage as a file of alerting rules on redis_exporter's metrics. Nodes that are discovered are not known here:
 * those instances have no rules.
 *
 * @param label the label that names a node
 */
export function rulesYaml({ stage, instances, runbook }: Config, label: string): string {
  const groups = instances
    .filter(({ nodes }) => nodes.length > 0)
    .map((instance) => ({
      name: `offpeak-${stage}-${instance.id}`,
      rules: rulesOf(instance, { stage, label, ...(runbook !== undefined && { runbook }) }),
    }));
  return stringify({ groups }, { lineWidth: 0 });
}

interface Terms {
  readonly stage: string;
  readonly label: string;
  readonly runbook?: string;
}

function rulesOf(instance: InstanceConfig, terms: Terms): readonly Rule[] {
  const { nodes, memoryLimit } = instance;
  const { label } = terms;
  const matcher = matcherOf(instance, label);
  const each = (name: TroubleName, expr: string, node?: string) => ruleOf(name, expr, instance, terms, node);
  const { fragmentationWarning, fragmentationCritical, rssCritical } = instance.thresholds;
  return [
    each('fragmentation-warning', fragmented(matcher, fragmentationWarning)),
    each('fragmentation-critical', fragmented(matcher, fragmentationCritical)),
    ...(memoryLimit === undefined
      ? []
      : [each('near-limit', `100 * ${RSS}{${matcher}} / ${memoryLimit} >= ${rssCritical.percentOfLimit}`)]),
    // A target that is gone has no value to compare: each node is named.
    ...nodes.map(({ id }) => {
      const one = nodesMatcher(label, [id]);
      return each('unreachable', `redis_up{${one}} == 0 or absent(redis_up{${one}})`, id);
    }),
  ];
}

/** Two sides of one exporter have the same labels. Bytes as well as the ratio: an empty server has a ratio of 13. */
function fragmented(matcher: string, { ratio, floor }: { readonly ratio: number; readonly floor: number }): string {
  const [rss, used] = [`${RSS}{${matcher}}`, `${USED}{${matcher}}`];
  return `${rss} / ${used} > ${ratio} and ${rss} - ${used} >= ${floor}`;
}

function ruleOf(
  name: TroubleName,
  expr: string,
  instance: InstanceConfig,
  { stage, label, runbook }: Terms,
  node: string | undefined,
): Rule {
  const { severity, lasting } = TROUBLES[name];
  const where = node ?? `{{ $labels.${label} }}`;
  const lasts = lasting(instance);
  return {
    alert: NAMES[name],
    expr,
    for: prometheusDuration(lasts),
    labels: { severity, stage, offpeak_instance: instance.id, ...(node !== undefined && { node }) },
    annotations: {
      summary: `${instance.id} ${where}: ${TROUBLE_TITLES[name].began}`,
      description: `${sentence(`for ${durationText(lasts)}, ${troubleText(name, instance, 'redis_exporter')}`)} ${TROUBLE_NEXT[name]}`,
      ...(runbook !== undefined && { runbook_url: `${runbook}#${ANCHORS[name]}` }),
    },
  };
}

/** Whole seconds: `1800s` is what Prometheus prints as 30m. */
function prometheusDuration(duration: Milliseconds): string {
  return `${Math.ceil(duration / 1000)}s`;
}
