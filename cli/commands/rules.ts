import { EXIT } from '../exit.ts';
import { chosenInstances } from '../fleet.ts';
import { type RulesOptions, UsageError } from '../options.ts';
import { loadConfig } from '../place.ts';
import { dashboardJson } from '../prometheus/dashboard.ts';
import { rulesYaml } from '../prometheus/rules.ts';

/** Prints the thresholds of a config for Prometheus, or a dashboard for Grafana. Asks no server. */
export function rules(options: RulesOptions): void {
  const { config: whole } = loadConfig(options);
  const instances = options.instance
    ? chosenInstances(whole.instances, options.instance, '--instance')
    : whole.instances;
  const config = { ...whole, instances };
  const unnamed = instances.filter(({ nodes }) => nodes.length === 0);
  if (unnamed.length === instances.length && !options.grafana)
    throw new UsageError('rules: every instance discovers its nodes; accepted are instances with url or nodes');
  if (unnamed.length > 0)
    process.stderr.write(
      `offpeak: ${unnamed.map(({ id }) => id).join(', ')}: nodes that are discovered are not known here and have no rules\n`,
    );
  const { grafana, label } = options;
  process.stdout.write(grafana ? `${dashboardJson(config, label)}\n` : rulesYaml(config, label));
  process.exitCode = EXIT.fine;
}
