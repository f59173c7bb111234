import { isFailing, isSelf } from '../../domain/cluster-line.ts';
import type { ClusterView, Examined, ServerModule } from '../../domain/examined.ts';
import type { Observation } from '../../domain/observation.ts';
import { clusterLines } from './cluster-nodes.ts';
import { type Command, type Connection, type Reply, textOf } from './connection.ts';
import { firstOf, type InfoLines, infoLines, numberField, textField, valuesOf } from './info.ts';
import { atLeast, parseVersion } from './version.ts';

const TIMEOUT_MS = 2000;

const MODULES: Command = ['INFO', 'modules'];
const CLIENTS: Command = ['INFO', 'clients'];
const CLUSTER_INFO: Command = ['CLUSTER', 'INFO'];
const CLUSTER_NODES: Command = ['CLUSTER', 'NODES'];
/** Of Valkey 9.0: nothing else shows its atomic migrations while their buffers are empty. */
const MIGRATIONS: Command = ['CLUSTER', 'GETSLOTMIGRATIONS'];

/**
 * Only before a start: INFO modules may be long, and CLUSTER NODES has a line for each node of the Cluster. What a server without Cluster is
 * not asked for is absent.
 * @throws {NodeFailure} when the node does not answer.
 */
export async function examine(
  connection: Connection,
  { isCluster, engine }: Pick<Observation, 'isCluster' | 'engine'>,
): Promise<Examined> {
  const at = parseVersion(engine.version);
  const isAtomic = engine.name === 'valkey' && at !== undefined && atLeast(at, [9, 0, 0]);
  const ofCluster = isCluster ? [CLUSTER_INFO, CLUSTER_NODES, ...(isAtomic ? [MIGRATIONS] : [])] : [];
  const [modules, clients, ...cluster] = await connection.send([MODULES, CLIENTS, ...ofCluster], TIMEOUT_MS);
  const paused = pauseIn(linesOf(clients));
  return {
    modules: modulesIn(linesOf(modules)),
    ...(paused && { paused }),
    ...(isCluster && { cluster: clusterIn(cluster) }),
  };
}

/** No lines where a proxy or a service does not know the section. */
function linesOf(reply: Reply | undefined): InfoLines {
  return infoLines(textOf(reply) ?? '');
}

/** A module's name, which is shown and compared with the config. */
const MODULE = /^name=(?<name>[A-Za-z0-9_.-]{1,64}),ver=(?<version>\d{1,10})(?:,|$)/;

/** `module:name=ReJSON,ver=20609,api=1,filters=0,usedby=[search],using=[],options=[handle-io-errors]` */
function modulesIn(lines: InfoLines): readonly ServerModule[] {
  const indexes = numberField(firstOf(lines), 'search_number_of_indexes');
  return valuesOf(lines, /^module$/).flatMap((value): ServerModule[] => {
    const { name, version } = MODULE.exec(value)?.groups ?? {};
    if (name === undefined) return [];
    return [{ name, version: Number(version), ...(name === 'search' && indexes !== undefined && { indexes }) }];
  });
}

function pauseIn(lines: InfoLines): Examined['paused'] {
  const fields = firstOf(lines);
  const reason = textField(fields, 'paused_reason')?.slice(0, 64);
  if (reason === undefined || reason === 'none') return undefined;
  return { reason, left: numberField(fields, 'paused_timeout_milliseconds') ?? 0 };
}

function clusterIn([info, nodes, migrations]: readonly Reply[]): ClusterView | 'refused' {
  const [state, topology] = [textOf(info), textOf(nodes)];
  if (state === undefined || topology === undefined || migrations?.ok === false) return 'refused';
  const fields = firstOf(infoLines(state));
  const lines = clusterLines(topology);
  const atomic =
    (numberField(fields, 'cluster_slot_migration_active_tasks') ?? 0) +
    (numberField(fields, 'cluster_slot_migration_active_trim_running') ?? 0);
  return {
    isUp: textField(fields, 'cluster_state') === 'ok',
    migrating: (lines.find(isSelf)?.moving ?? 0) + atomic + migrationsUnderWay(migrations?.value),
    ...(lines.some(isFailing) && { isFailingOver: true }),
  };
}

const OVER = ['success', 'failed', 'canceled', 'cancelled'];

/** A list of flat lists of names and values, those that are over for a while included. */
function migrationsUnderWay(value: unknown): number {
  if (!Array.isArray(value)) return 0;
  const states = value.map((entry) => (Array.isArray(entry) ? entry[entry.indexOf('state') + 1] : undefined));
  return states.filter((state) => typeof state === 'string' && !OVER.includes(state)).length;
}
