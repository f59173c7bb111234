import type { Pause } from './pause.ts';
import { type Moment, timeText } from './words-units.ts';

type Told = Pick<Pause, 'reason' | 'by'> & { readonly until?: number | undefined };

/** `paused until Tue 07:14 (in 5 h) by alice ("Black Friday")`. The reason is in quotes: it is another person's sentence. */
export function pauseText({ until, by, reason }: Told, moment: Moment = {}): string {
  const end = until === undefined ? '' : ` until ${timeText(until, moment)}`;
  return `paused${end} by ${by} ("${reason}")`;
}
