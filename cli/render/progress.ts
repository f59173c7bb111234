import { percentText } from '../../core/format/units.ts';
import { levelBar } from './bars.ts';
import type { Style } from './style.ts';

/** The part of a terminal or a pipe that a progress line needs. */
interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface Progress {
  /** `share` from 0 to 1; `note` in a few words. */
  update(label: string, share: number, note?: string): void;
  /** Ends the line, with `text` in its place if there is one. Harmless when nothing was begun. */
  done(text?: string): void;
}

/** A log is read afterwards: one line in five seconds tells the story without drowning it. */
const PLAIN_EVERY_MS = 5000;
const CELLS = 30;
const CLEAR_LINE = '\r\u001b[2K';

/** One line that rewrites itself on a terminal; elsewhere a plain line now and then, and always the last one. */
export function createProgress(output: Output, style: Style, now: () => number): Progress {
  return output.isTTY === true ? rewriting(output, style) : occasional(output, now);
}

/** Never wider than the terminal: a line that wraps cannot be rewritten. */
export function progressLine(label: string, share: number, note: string, style: Style): string {
  return `${label} ${levelBar(share, CELLS, style, 'good')} ${percentOf(share).padStart(5)}${note === '' ? '' : `  ${note}`}`;
}

function rewriting(output: Output, style: Style): Progress {
  let isOpen = false;
  return {
    update(label, share, note = '') {
      const room = Math.max(0, (output.columns ?? 80) - 1 - label.length - CELLS - 9);
      isOpen = true;
      output.write(CLEAR_LINE + progressLine(label, share, note.slice(0, room), style));
    },
    done(text) {
      if (isOpen) output.write(CLEAR_LINE);
      if (text !== undefined) output.write(`${text}\n`);
      isOpen = false;
    },
  };
}

function occasional(output: Output, now: () => number): Progress {
  let shown: { readonly label: string; readonly at: number } | undefined;
  return {
    update(label, share, note = '') {
      const at = now();
      if (shown?.label === label && at - shown.at < PLAIN_EVERY_MS) return;
      shown = { label, at };
      output.write(`${label} ${percentOf(share)}${note === '' ? '' : `, ${note}`}\n`);
    },
    done(text) {
      if (text !== undefined) output.write(`${text}\n`);
      shown = undefined;
    },
  };
}

function percentOf(share: number): string {
  return percentText(Math.floor(Math.min(1, Math.max(0, share)) * 100));
}
