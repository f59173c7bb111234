import { isFleet, usesQueue } from '../../core/config/fleet.ts';
import type { Config } from '../../core/config/schema.ts';
import { HOUR, SECOND } from '../../core/config/units.ts';
import { FLEET_METRICS, JOB_METRICS } from '../../core/domain/job-metrics.ts';
import type { MetricDefinition, MetricSet } from '../../core/domain/metric.ts';
import { NODE_METRICS } from '../../core/domain/node-metrics.ts';
import { batchesOf } from '../../core/reconcile/batch.ts';
import { MESSAGES_AT_ONCE } from '../../infra/batches.ts';
import type { ResourceOf, Resources } from '../../infra/cloudformation.ts';
import { endpointServices, type Network } from '../../infra/network.ts';
import { nodeAlarms } from '../../infra/node-alarms.ts';
import { template } from '../../infra/template.ts';

/** US dollars in us-east-1, as known on 2026-11-23, free tiers left out. Verify before you rely on them. */
const PRICES = {
  /** Each custom metric a month, of the first 10,000. */
  metric: 0.3,
  /** Each of the next 240,000. */
  metricBeyond: 0.1,
  /** What is sent by OTLP. Assumed: no page that could be read says it. */
  otlpGb: 2,
  /** Assumed to be that of an alarm on one metric: no page that could be read says it. */
  promqlAlarm: 0.1,
  /** Each metric that an alarm of standard resolution reads, a month: metric math over two counts twice. */
  alarmMetric: 0.1,
  dashboard: 3,
  /** PutMetricData. */
  thousandApiRequests: 0.01,
  lambdaMillionRequests: 0.2,
  /** arm64. */
  lambdaGbSecond: 0.0000133334,
  schedulerMillionInvocations: 1,
  dynamoMillionReads: 0.125,
  dynamoMillionWrites: 0.625,
  sqsMillion: 0.4,
  logsGb: 0.5,
  tracesMillion: 5,
  /** Each interface endpoint in each availability zone; the gateway to DynamoDB is free. */
  endpointHour: 0.01,
} as const;

/** What the bill depends on, beside the configuration. */
interface Assumptions {
  /** Seconds that an ordinary run takes, most of it waiting for the second check. */
  readonly secondsPerTick: number;
  /** Days of a month with an action on a node: only then do the metrics of an action exist. */
  readonly actionDays: number;
  /** Hours of a day in which a check meets a fork (BGSAVE, AOF rewrite, full sync). */
  readonly forkHours: number;
  readonly logBytesPerNode: number;
}

const ASSUMED: Assumptions = { secondsPerTick: 5, actionDays: 15, forkHours: 4, logBytesPerNode: 1_000 };

interface CostLine {
  readonly what: string;
  readonly count: number;
  /** Dollars for one of them. */
  readonly each: number;
  /** Dollars a month. */
  readonly dollars: number;
}

export interface MonthlyCost {
  readonly lines: readonly CostLine[];
  readonly dollars: number;
}

const HOURS = 730;
const DAYS = HOURS / 24;
const MEMORY_GB = 0.25;

/** How often Lambda polls an empty queue: five pollers that wait for 20 s each. */
const QUEUE_POLLS = (5 * HOURS * HOUR) / (20 * SECOND);

/**
 * What a stage costs in a month. Metrics dominate: nodes × (6 core + 13 detailed + 1 of forks and 4 of actions, by the hour in
 * which they are published) × $0.30, then the alarms, $0.70 for each node up to 25 and $0.40 in all beyond.
 */
export function monthlyCost(config: Config, network: Network, assumed: Assumptions = ASSUMED): MonthlyCost {
  const ticks = (HOURS * HOUR) / config.schedule.every;
  const nodes = config.instances.reduce((sum, one) => sum + one.nodes.length, 0);
  const resources = template(config, network).Resources;
  const isOtlp = config.metrics.send === 'otlp';
  const points = nodeMetricCount(config, assumed);
  const metrics = jobMetricCount(config) + (isOtlp ? 0 : points);
  const batches = usesQueue(config) ? batchesOf(config, new Map(), 0).length : 0;
  const { GetItem, Query, UpdateItem, PutMetricData, invocations, ...sqs } = callsOfTick(batches, metrics);
  const queueCalls = Object.values(sqs).reduce((sum, count) => sum + count, 0);
  const queues = (config.notifications.slack === undefined ? 0 : 1) + (batches > 0 ? 1 : 0);
  const gbSeconds = ticks * assumed.secondsPerTick * MEMORY_GB * (1 + invocations);
  const actions = actingNodes(config) * assumed.actionDays;
  const lines = [
    line('custom metrics', Math.min(metrics, FIRST_TIER), PRICES.metric),
    line('custom metrics beyond 10,000', Math.max(0, metrics - FIRST_TIER), PRICES.metricBeyond),
    line('OTLP GB', isOtlp ? (ticks * points * OTLP_POINT_BYTES) / 1e9 : 0, PRICES.otlpGb),
    line('metrics read by alarms', alarmMetrics(resources), PRICES.alarmMetric),
    line('PromQL alarms', promqlAlarms(resources), PRICES.promqlAlarm),
    line('dashboard', 1, PRICES.dashboard),
    line('Lambda GB-seconds', gbSeconds, PRICES.lambdaGbSecond),
    line('Lambda requests, millions', (ticks * (1 + invocations)) / 1e6, PRICES.lambdaMillionRequests),
    line('Scheduler invocations, millions', ticks / 1e6, PRICES.schedulerMillionInvocations),
    line('PutMetricData requests, thousands', (ticks * PutMetricData) / 1e3, PRICES.thousandApiRequests),
    // A history and a record of each node are read in batches, and each counts.
    line('DynamoDB reads, millions', (ticks * (2 * nodes + GetItem + Query)) / 1e6, PRICES.dynamoMillionReads),
    line(
      'DynamoDB writes, millions',
      (ticks * UpdateItem + actions * WRITES_OF_AN_ACTION) / 1e6,
      PRICES.dynamoMillionWrites,
    ),
    line('SQS requests, millions', (queues * QUEUE_POLLS + ticks * queueCalls) / 1e6, PRICES.sqsMillion),
    line('log GB', (ticks * nodes * assumed.logBytesPerNode) / 1e9, PRICES.logsGb),
    line('traces, millions', ticks / 1e6, PRICES.tracesMillion),
    line('endpoint hours', endpointHours(config, network), PRICES.endpointHour),
  ].filter(({ count }) => count > 0);
  return { lines, dollars: cents(lines.reduce((sum, { dollars }) => sum + dollars, 0)) };
}

/**
 * What a tick asks of AWS where there is nothing to do, beside the documents of nodes. A test compares it with what `npm run bench:fleet` has
 * counted (docs/performance.md). Four messages are one invocation: each is sent with nine others, received and deleted with three.
 */
export function callsOfTick(batches: number, metrics: number) {
  const invocations = Math.ceil(batches / MESSAGES_AT_ONCE);
  return {
    GetItem: 2 + 2 * batches,
    Query: 5 + 4 * batches,
    // The mark of each batch.
    UpdateItem: batches,
    PutMetricData: batches > 0 ? 1 + batches : Math.ceil(metrics / 1000),
    SendMessageBatch: Math.ceil(batches / 10),
    ReceiveMessage: invocations,
    DeleteMessageBatch: invocations,
    invocations,
  };
}

/** Its lease, record, history, alerts and claims, as they begin and end: counted in a first tick of 1,000 nodes, of which 26 were acted on. */
const WRITES_OF_AN_ACTION = 12;

function actingNodes({ instances }: Config): number {
  return instances.reduce((sum, { nodes, windows }) => sum + (windows.length === 0 ? 0 : nodes.length), 0);
}

function line(what: string, count: number, each: number): CostLine {
  return { what, count, each, dollars: cents(count * each) };
}

/**
 * How many bytes CloudWatch counts for a point: its name, labels, timestamp and value, and the attributes of the resource. Their JSON has 244; an
 * encoding in binary, which is probably what counts, 96 to 160.
 */
const OTLP_POINT_BYTES = 160;
const FIRST_TIER = 10_000;

/** Metrics are charged by the hour in which they are published: those of actions by their days, that of a fork by its hours. */
function nodeMetricCount(config: Config, { actionDays, forkHours }: Assumptions): number {
  const of = (set: MetricSet) => countOf(NODE_METRICS, set);
  const perNode = config.instances.flatMap(({ nodes, metrics, windows }) => {
    const detailed = metrics === 'detailed' ? of('detailed') : 0;
    // A metric of an action is published in about one hour of such a day.
    const actions = windows.length === 0 ? 0 : (of('action') * actionDays) / (DAYS * 24);
    const forks = (of('fork') * forkHours) / 24;
    return nodes.map(() => of('core') + detailed + forks + actions);
  });
  return perNode.reduce((sum, count) => sum + count, 0);
}

function jobMetricCount(config: Config): number {
  const queue = usesQueue(config) ? countOf(JOB_METRICS, 'queue') : 0;
  return countOf(JOB_METRICS, 'job') + (isFleet(config) ? countOf(FLEET_METRICS, 'fleet') : 0) + queue;
}

/** What alarms of each node would cost in a fleet of any size. */
export function alarmsOfEachNode(config: Config): number {
  const one = { ...config, instances: config.instances.slice(0, 1) };
  return cents(alarmMetrics(nodeAlarms(one)) * config.instances.length * PRICES.alarmMetric);
}

function countOf(metrics: Readonly<Record<string, MetricDefinition>>, set: MetricSet): number {
  return Object.values(metrics).filter((metric) => metric.set === set).length;
}

/** Counted in the template itself, so that each new alarm is included. */
function alarmMetrics(resources: Resources): number {
  return alarmsIn(resources).reduce((sum, alarm) => sum + ('EvaluationCriteria' in alarm ? 0 : inputsOf(alarm)), 0);
}

function promqlAlarms(resources: Resources): number {
  return alarmsIn(resources).filter((alarm) => 'EvaluationCriteria' in alarm).length;
}

function alarmsIn(resources: Resources) {
  return Object.values(resources).flatMap((one) => (one.Type === 'AWS::CloudWatch::Alarm' ? [one.Properties] : []));
}

function inputsOf({ Metrics }: ResourceOf<'AWS::CloudWatch::Alarm'>['Properties']): number {
  if (!Array.isArray(Metrics)) return 1;
  return Metrics.filter((metric) => 'MetricStat' in metric).length;
}

function cents(dollars: number): number {
  return Math.round(dollars * 100) / 100;
}

function endpointHours(config: Config, { endpoints, subnetIds }: Network): number {
  return endpoints ? endpointServices(config).length * subnetIds.length * HOURS : 0;
}
