import { setTimeout as pause } from 'node:timers/promises';
import pLimit from 'p-limit';
import { type Milliseconds, SECOND } from '../config/units.ts';
import type { Alert } from '../domain/alert.ts';
import { alertSubject, alertText } from '../format/alert-layout.ts';
import { durationText } from '../format/units.ts';
import { type AlertSink, combined, type PublishReport } from '../ports/sinks.ts';
import { SecretUnavailable } from './aws/secret-failure.ts';

const TRY_TIMEOUT: Milliseconds = 5 * SECOND;
const LONGEST_WAIT: Milliseconds = 5 * SECOND;
const TRIES = 3;
const AT_ONCE = 4;
/** For all alerts that are under way at once, since the latest that was accepted: an address that is dead costs this, however many alerts there are. */
const DEAD_AFTER: Milliseconds = 10 * SECOND;

const OTHERS = 'the webhook does not accept messages now: another one says why';

/** The alerts that are under way at once. */
interface Wave {
  underWay: number;
  /** Of `performance.now()`. */
  deadline: number;
  /** One of them was given up: the others are not tried any more. */
  isDead: boolean;
}

/**
 * Posts each alert as JSON to an address of one's own: the alert as SNS subscribers get it (`offpeak/alert@1`), with `text`, which chats show that
 * know no more of it. What is not accepted is reported, and stays in the outbox. The address is a secret, and is in no report.
 *
 * The time that a dead address costs is limited for all alerts together, and only one of them says why it was not accepted.
 *
 * @param address is read for each batch: a rotated secret counts at once
 */
export function createWebhookSink(address: () => Promise<string>): AlertSink {
  const wave: Wave = { underWay: 0, deadline: 0, isDead: false };
  return {
    async send(alerts) {
      if (alerts.length === 0) return { sent: 0, rejected: [] };
      const url = await addressFrom(address);
      if (wave.underWay === 0) Object.assign(wave, { deadline: performance.now() + DEAD_AFTER, isDead: false });
      wave.underWay += 1;
      try {
        return combined(await pLimit(AT_ONCE).map(alerts, (alert) => sendOne(url, alert, wave)));
      } finally {
        wave.underWay -= 1;
      }
    },
  };
}

/** The address, or why there is none. */
async function addressFrom(address: () => Promise<string>): Promise<URL | string> {
  try {
    const url = URL.parse((await address()).trim());
    return url && /^https?:$/.test(url.protocol) ? url : 'the webhook is not an address: accepted is https://…';
  } catch (error) {
    if (!(error instanceof SecretUnavailable)) throw error;
    return `the address of the webhook: ${error.message}`;
  }
}

async function sendOne(url: URL | string, alert: Alert, wave: Wave): Promise<PublishReport> {
  const why = typeof url === 'string' ? url : await post(url, alert, wave);
  return why === undefined ? { sent: 1, rejected: [] } : { sent: 0, rejected: [{ what: alertSubject(alert), why }] };
}

/** Undefined when it was accepted. What may pass is tried again; an answer that is lost may mean a message that is shown twice. */
async function post(url: URL, alert: Alert, wave: Wave): Promise<string | undefined> {
  const body = JSON.stringify({ text: `${alertSubject(alert)}\n\n${alertText(alert)}`, ...alert });
  for (let tries = 1; !wave.isDead; tries++) {
    const timeout = Math.min(TRY_TIMEOUT, Math.max(1, Math.round(wave.deadline - performance.now())));
    const { why, wait } = await tryOnce(url, body, { tries, timeout });
    if (why === undefined) {
      wave.deadline = performance.now() + DEAD_AFTER;
      return undefined;
    }
    const said = `the webhook ${why}${tries > 1 ? ` (tried ${tries} times)` : ''}`;
    // A refusal is about one message.
    if (wait === undefined) return said;
    if (wave.isDead) break;
    if (tries === TRIES || performance.now() + wait >= wave.deadline) {
      wave.isDead = true;
      return said;
    }
    await pause(wait);
  }
  return OTHERS;
}

interface Answer {
  /** Undefined: accepted. */
  readonly why?: string;
  /** Before another try; undefined: another one would not help. */
  readonly wait?: Milliseconds;
}

async function tryOnce(
  url: URL,
  body: string,
  { tries, timeout }: { readonly tries: number; readonly timeout: Milliseconds },
): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      // A redirect would carry the alert to another place.
      redirect: 'manual',
      signal: AbortSignal.timeout(timeout),
    });
    await response.body?.cancel();
    if (response.ok) return {};
    const why = `answered ${response.status}`;
    if (response.status !== 429 && response.status < 500) return { why };
    const asked = Number(response.headers.get('retry-after')) * SECOND;
    return { why, wait: Math.min(asked > 0 ? asked : tries * SECOND, LONGEST_WAIT) };
  } catch (error) {
    const { name, cause } = error as Error;
    const code = Object(cause).code ?? (name === 'TimeoutError' ? `no answer within ${durationText(timeout)}` : name);
    return { why: `cannot be reached: ${code}`, wait: tries * SECOND };
  }
}
