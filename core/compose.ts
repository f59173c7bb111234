import { createSecretReader, type SecretReader } from './adapters/aws/secrets.ts';
import type { Names } from './adapters/dns/names.ts';
import { connectionOpener, sessionOpener } from './adapters/redis/node-session.ts';
import { deduplicate } from './alerts/deduplicate.ts';
import { discoverBy } from './discovery/discover.ts';
import { cacheLeases } from './leases/lease-cache.ts';
import type { Clock } from './ports/clock.ts';
import type { Log } from './ports/log.ts';
import type { Ports } from './ports/ports.ts';
import type { AlertSink, MetricSink } from './ports/sinks.ts';
import type { StateStore } from './ports/state-store.ts';

/** What differs from host to host: Lambda, terminal, bench, test. */
interface HostParts {
  readonly store: StateStore;
  readonly metrics: MetricSink;
  readonly alerts: AlertSink;
  readonly clock: Clock;
  readonly log: Log;
  /** Where `env:` references of the config point. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** In place of the readers of secrets and names that are made of these. */
  readonly secrets?: SecretReader;
  readonly names?: Names;
  /** There is no config: servers are named on the command line, and so are remedies. */
  readonly isAddressed?: true | undefined;
}

/** The one place where adapters meet ports: every host gets the same decorated stack. */
export function createPorts({ store, metrics, alerts, clock, log, env, ...rest }: HostParts): Ports {
  const connect = connectionOpener(rest.secrets ?? createSecretReader({ env, now: clock.now }), clock, rest);
  return {
    open: sessionOpener(connect, clock),
    discover: discoverBy({ connect }),
    parameterGroups: async () => (await import('./adapters/aws/parameter-groups.ts')).awsParameterGroups,
    sightings: new Map(),
    newcomers: new Map(),
    store: cacheLeases(store),
    metrics,
    alerts: deduplicate(alerts, clock),
    clock,
    log,
  };
}
