/** The SNS messages that this container has delivered. */
export interface Delivered {
  has(messageId: string): boolean;
  add(messageId: string): void;
}

/** Enough for every retry to be recognised (Lambda keeps an event for 6 hours), small enough to never matter: 40 KB. */
const MOST = 1_000;

/**
 * Remembers delivered messages for as long as the container lives, so that Lambda's retry of an event of which one
 * record failed does not show the others twice. That is all it does: a retry that runs in another container, or SNS'
 * own second delivery there, is shown again. Twice is a nuisance, never is an outage, so nothing is remembered before
 * Slack has said `ok`.
 */
export function rememberDelivered(most = MOST): Delivered {
  const ids = new Set<string>();
  return {
    has: (messageId) => ids.has(messageId),
    add(messageId) {
      ids.add(messageId);
      const [oldest] = ids;
      if (ids.size > most && oldest !== undefined) ids.delete(oldest);
    },
  };
}
