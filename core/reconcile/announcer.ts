import { enqueue } from '../alerts/outbox.ts';
import type { InstanceConfig } from '../config/schema.ts';
import type { Alert } from '../domain/alert.ts';
import { latestIn, type Outcome } from '../domain/outcome.ts';
import type { Ports } from '../ports/ports.ts';
import { outcomeAlerts } from '../reporting/alerts/alerts.ts';

/** Of which job and instance the alerts are. */
interface Sender {
  readonly ports: Pick<Ports, 'store' | 'clock' | 'log'>;
  readonly stage: string;
  readonly holder: string;
  readonly instance: InstanceConfig;
}

export interface Announcer {
  /** See `NodeContext.announce`. */
  announce(outcomes: readonly Outcome[]): Promise<boolean>;
  announced(): Announced;
}

/** What was announced in the middle of a tick: the alerts of these outcomes are not written a second time at its end. */
export interface Announced {
  /** By `eventOf`. */
  readonly events: readonly string[];
  /** Alerts that the outbox has not taken. */
  readonly unkept: readonly Alert[];
}

export function announcer({ ports, stage, holder, instance }: Sender): Announcer {
  const events: string[] = [];
  const unkept: Alert[] = [];
  return {
    async announce(outcomes) {
      const startedAt = ports.clock.now();
      const alerts = outcomes.flatMap((outcome) => outcomeAlerts(outcome, instance, { stage, startedAt }));
      const refused = await enqueue(ports, holder, alerts);
      events.push(...outcomes.map(eventOf));
      unkept.push(...refused);
      return refused.length === 0;
    },
    announced: () => ({ events, unkept }),
  };
}

/** The same for an outcome before and after it was completed by what only the end of the tick knows (the lease, the pause). */
export function eventOf(outcome: Outcome): string {
  const { instance, node, kind } = outcome;
  return [instance, node, kind, latestIn(outcome)?.observation.at ?? ''].join(' ');
}
