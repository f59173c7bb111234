import * as z from 'zod/mini';
import { secretReference } from './address.ts';
import { timezone } from './calendar.ts';
import { number } from './quantities.ts';
import { byDefault, described, mapping, optional, scalar, text } from './scalar.ts';
import { HOUR, type Milliseconds } from './units.ts';

// As RFC 5321 allows. SNS itself only requires an @ with something around it, and confirms by a link.
const EMAIL =
  '^(?=.{1,254}$)[^\\s@<>(),;:"]{1,64}@[A-Za-z\\d]([A-Za-z\\d-]*[A-Za-z\\d])?(\\.[A-Za-z\\d]([A-Za-z\\d-]*[A-Za-z\\d])?)+$';
const MOST_EMAILS = 50;

/** CloudWatch Logs accepts these retentions, in days, and no others (API reference of PutRetentionPolicy). */
const LOG_RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

type From = 'info' | 'warning' | 'critical';

/** Who gets mails, and of which severity on. */
export interface MailTarget {
  readonly address: string;
  readonly from: From;
}

const SEVERITIES: readonly unknown[] = ['info', 'warning', 'critical'] satisfies readonly From[];

/** An address, or a mapping with the lowest severity that is sent to it. */
const email = scalar<MailTarget>({
  accepted:
    'an e-mail address, like redis-team@example.org, or { address: <e-mail address>, from: info, warning or critical }',
  json: {
    anyOf: [
      { type: 'string', pattern: EMAIL },
      {
        type: 'object',
        properties: { address: { type: 'string', pattern: EMAIL }, from: { enum: ['info', 'warning', 'critical'] } },
        required: ['address'],
        additionalProperties: false,
      },
    ],
  },
  read(raw) {
    if (typeof raw !== 'object' || raw === null) {
      return isEmail(raw) ? { value: { address: raw, from: 'info' } } : { refused: 'is not an e-mail address' };
    }
    const { address, from = 'info', ...others } = raw as Readonly<Record<string, unknown>>;
    const [unknown] = Object.keys(others);
    if (unknown !== undefined) return { refused: `has the unknown key \`${unknown}\`` };
    if (!isEmail(address)) return { refused: 'has no e-mail address' };
    return isFrom(from) ? { value: { address, from } } : { refused: 'has a `from` that is not a severity' };
  },
});

function isEmail(raw: unknown): raw is string {
  return typeof raw === 'string' && new RegExp(EMAIL).test(raw);
}

function isFrom(raw: unknown): raw is From {
  return SEVERITIES.includes(raw);
}

const listOfEmails = `a list of at most ${MOST_EMAILS} e-mail addresses`;
const emails = z.array(email, { error: listOfEmails }).check(z.maxLength(MOST_EMAILS, { error: listOfEmails }));

const slack = mapping({
  webhook: described(
    secretReference(),
    'Reference to the address of an incoming webhook. The address is a secret: anyone who knows it can post.',
  ),
  from: byDefault(
    'info',
    z.enum(['info', 'warning', 'critical'], { error: 'info, warning or critical' }),
    'The lowest severity that is posted: info, warning or critical.',
  ),
});

const notifications = mapping({
  emails: byDefault(
    [],
    emails,
    'Who gets alerts and alarms as e-mail: an address, or { address, from } with the lowest severity. Each has to confirm.',
  ),
  slack: optional(slack, 'Alerts and alarms in a Slack channel, through an incoming webhook.'),
  digest: byDefault(
    'info',
    z.enum(['info', 'never'], { error: 'info or never' }),
    'With info, infos come in one message at the end of a night, with what needs a person; with never, each as it happens.',
  ),
  chat: optional(
    z.enum(['amazon-q'], { error: 'amazon-q' }),
    'With amazon-q, https subscribers get alerts in the schema of Amazon Q Developer in chat applications.',
  ),
});

/** An interval that divides the hour, so that every CloudWatch period of that length holds one tick. */
const interval = scalar<Milliseconds>({
  accepted:
    'a duration in whole minutes that divides the hour, from 1m to 1h: 1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30 or 60m',
  json: { type: 'string', pattern: '^(([1-6]|10|12|15|20|30|60)\\s?m|1\\s?h)$' },
  read(raw) {
    const minutes = typeof raw === 'string' ? /^(?:(\d{1,2})\s?m|(1)\s?h)$/.exec(raw) : null;
    if (minutes === null) return { refused: 'is not such a duration' };
    const value = minutes[2] === undefined ? Number(minutes[1]) * (HOUR / 60) : HOUR;
    return value > 0 && HOUR % value === 0 ? { value } : { refused: 'does not divide the hour' };
  },
});

const schedule = mapping({
  every: byDefault('5m', interval, 'How often the job runs, 1m to 1h, dividing the hour.'),
  timezone: optional(timezone(), 'Zone of the schedule; the one of `defaults` when absent, else UTC.'),
});

const fleet = mapping({
  queue: byDefault(
    'auto',
    z.enum(['auto', 'always', 'never'], { error: 'auto, always or never' }),
    'Whether several functions share the nodes, fed by a queue. auto: where the config names more than 1,000 nodes.',
  ),
  workers: byDefault(
    16,
    number({ min: 2, max: 1000, whole: true }),
    'With a queue: at most so many functions check nodes at once, 2 to 1,000, and always two more than maxDefragsAtOnce.',
  ),
});

const logRetention = scalar<number>({
  accepted: `a number of days that CloudWatch Logs accepts, with its unit: ${LOG_RETENTION_DAYS.map((days) => `${days}d`).join(', ')}`,
  json: { enum: LOG_RETENTION_DAYS.map((days) => `${days}d`) },
  read(raw) {
    const days = typeof raw === 'string' ? Number(/^(\d{1,4})\s?d$/.exec(raw)?.[1]) : Number.NaN;
    if (Number.isNaN(days)) return { refused: 'is not a number of days with its unit' };
    const known = LOG_RETENTION_DAYS.some((accepted) => accepted === days);
    return known ? { value: days } : { refused: 'is not a retention that CloudWatch Logs accepts' };
  },
});

const runbook = text(
  '^https://[^\\s#?@]{1,500}$',
  'an https:// address without user, query or fragment, to which #anchor is added',
);

const metrics = mapping({
  send: byDefault(
    'classic',
    z.enum(['classic', 'otlp'], { error: 'classic or otlp' }),
    'How metrics of nodes are sent: classic, as metrics of CloudWatch, each of which costs money; or otlp, by OpenTelemetry, where each GB does.',
  ),
});

/** The keys of the file that are about the deployed stack as a whole, and not about an instance. */
export const stackKeys = {
  schedule: byDefault({}, schedule, 'When the deployed job runs.'),
  metrics: byDefault(
    {},
    metrics,
    'How the metrics of nodes reach CloudWatch. Which ones: see `metrics` of an instance.',
  ),
  notifications: byDefault({}, notifications, 'Who gets alerts and alarms.'),
  fleet: byDefault({}, fleet, 'How many functions share the nodes of the stage.'),
  runbook: optional(
    runbook,
    'Address of the runbook, linked in every alarm and message; without it, docs/runbook.md of the clone on GitHub or GitLab.',
  ),
  logRetention: byDefault('30d', logRetention, "How long the functions' logs are kept, in days."),
};
