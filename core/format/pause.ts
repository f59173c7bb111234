import type { Pause } from '../domain/pause.ts';
import { stateCommand } from './state-command.ts';
import { type Moment, timeText } from './units.ts';

type Shown = Pick<Pause, 'reason' | 'by'> & { readonly until?: number | undefined };

/** `paused until Tue 07:14 Europe/Berlin (in 5 h) by alice ("Black Friday")`. The reason is in quotes: it is another person's sentence. */
export function pauseText({ until, by, reason }: Shown, moment: Moment = {}): string {
  const end = until === undefined ? '' : ` until ${timeText(until, moment)}`;
  return `paused${end} by ${by} ("${reason}")`;
}

/** A pause of an instance that the config does not have. */
export function strayPauseText(
  scope: string,
  pause: Pause,
  covers: readonly string[],
  { stage, ...moment }: Moment & { readonly stage: string },
): string {
  const what = `the config has no instance ${scope}, and that one is ${pauseText(pause, moment)}`;
  const effect =
    covers.length > 0 ? `its nodes are in ${covers.join(', ')} now, which this pauses` : 'it pauses nothing';
  return `${what}: ${effect}. ${stateCommand(stage, 'resume', scope)} removes it`;
}
