import { enqueue } from '../alerts/outbox.ts';
import type { InstanceConfig } from '../config/schema.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Ports } from '../ports/ports.ts';
import { report } from '../reporting/report.ts';

/** Of which job and instance the alerts are. */
export interface Sender {
  readonly ports: Ports;
  readonly stage: string;
  readonly holder: string;
  readonly instance: InstanceConfig;
}

/** See `NodeContext.announce`. */
export function announcer({
  ports,
  stage,
  holder,
  instance,
}: Sender): (outcomes: readonly Outcome[]) => Promise<boolean> {
  return async (outcomes) => {
    const at = ports.clock.now();
    const { alerts } = report({ stage, startedAt: at, finishedAt: at, outcomes, instances: [instance] });
    return (await enqueue(ports, holder, alerts)).length === 0;
  };
}
