import type { Pause } from '../domain/pause.ts';
import { type Moment, timeText } from './units.ts';

type Told = Pick<Pause, 'reason' | 'by'> & { readonly until?: number | undefined };

/** `paused until Tue 07:14 (in 5 h) by alice ("Black Friday")`. The reason is in quotes: it is another person's sentence. */
export function pauseText({ until, by, reason }: Told, moment: Moment = {}): string {
  const end = until === undefined ? '' : ` until ${timeText(until, moment)}`;
  return `paused${end} by ${by} ("${reason}")`;
}

/** A pause of an instance that the config does not have. */
export function strayPauseText(scope: string, pause: Pause, covers: readonly string[], moment: Moment = {}): string {
  const what = `the config has no instance ${scope}, and that one is ${pauseText(pause, moment)}`;
  const effect =
    covers.length > 0
      ? `its nodes are in ${covers.join(', ')} now, which the pause keeps quiet`
      : 'the pause keeps nothing quiet';
  return `${what}: ${effect}; \`offpeak resume ${scope}\` removes it`;
}
