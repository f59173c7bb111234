import type { InstanceConfig } from '../../core/config/schema.ts';

/**
 * A matcher for these nodes. redis_exporter's targets are written as `redis://host:port`, `rediss://host:port` or `host:port`, and its relabelling
 * keeps them as they are.
 */
export function nodesMatcher(label: string, nodes: readonly string[]): string {
  const all = nodes.map(escaped).join('|');
  return `${label}=~"(rediss?://)?(${all})"`;
}

export function matcherOf({ nodes }: Pick<InstanceConfig, 'nodes'>, label: string): string {
  return nodesMatcher(
    label,
    nodes.map(({ id }) => id),
  );
}

/** Twice: for the regular expression (RE2), and for the string of PromQL. */
function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\\\$&');
}
