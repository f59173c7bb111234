import { HOUR, type Milliseconds } from '../config/units.ts';
import type { AlertEvent } from '../domain/alert.ts';
import { MOST_AT_ONCE } from './digest.ts';
import { ageOf, type Pending } from './outbox-entries.ts';

/** What never ends a night: windows that follow each other all day, a lease that stays. Then an info waits this long. */
const LONGEST_WAIT: Milliseconds = 24 * HOUR;

/**
 * The first comes with every tick as long as the store is in trouble, and says nothing of a node. The others are states, which have their own
 * end and are not the night's work.
 */
const NOT_KEPT: readonly AlertEvent[] = ['state-unavailable', 'trouble-began', 'trouble-over'];

interface Night {
  readonly now: number;
  /** Asked only where something waits for it. */
  readonly isOver: () => boolean;
}

/** What the outbox does now with its entries; all others wait. */
interface Divided {
  /** To be sent, on their own or in digests. */
  readonly due: readonly Pending[];
  /** To be sent in one message. */
  readonly night: readonly Pending[];
  /** Sent before, and nothing else is left to say of the night. */
  readonly spent: readonly Pending[];
}

/** An info waits for the end of the night. Everything worse is sent at once, and kept for the digest. */
export function divided(entries: readonly Pending[], night: Night | undefined): Divided {
  const sent = entries.filter(isSent);
  if (night === undefined) return { due: entries.filter((one) => !isSent(one)), night: [], spent: sent };
  const infos = entries.filter((one) => !isSent(one) && isWaiting(one));
  const due = entries.filter((one) => !isSent(one) && !isWaiting(one));
  const isLate = [...infos, ...sent].some((one) => ageOf(one, night.now) >= LONGEST_WAIT);
  const isEnd = infos.length >= MOST_AT_ONCE || isLate || (infos.length + sent.length > 0 && night.isOver());
  if (!isEnd) return { due, night: [], spent: [] };
  if (infos.length === 0) return { due, night: [], spent: sent };
  return { due, night: [...infos, ...sent].slice(0, MOST_AT_ONCE), spent: [] };
}

/** Whether an alert that was sent is kept for the digest. */
export function isKeptForNight({ alert }: Pending): boolean {
  return alert.severity !== 'info' && !NOT_KEPT.includes(alert.event);
}

function isSent({ entry }: Pending): boolean {
  return entry.sentAt !== undefined && entry.digest === undefined;
}

/** A digest that was being sent when its job died is sent again. */
function isWaiting({ alert, entry }: Pending): boolean {
  return alert.severity === 'info' && entry.digest === undefined;
}
