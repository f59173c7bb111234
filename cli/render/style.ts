import { styleText } from 'node:util';

/** What a colour is to say; which colour that is, is decided here alone. */
export type Tone = 'data' | 'fragmentation' | 'pages' | 'overhead' | 'good' | 'bad' | 'warning' | 'faint' | 'strong';

/** Puts a text into a tone's colour, or leaves it as it is. */
export type Paint = (tone: Tone, text: string) => string;

/** How to draw: passed in, never global, so that a picture is a function of its arguments. */
export interface Style {
  readonly paint: Paint;
  /** Whether the terminal shows block characters; has nothing to do with colour. */
  readonly unicode: boolean;
}

const FORMATS: Readonly<Record<Tone, Parameters<typeof styleText>[0]>> = {
  data: 'blue',
  fragmentation: 'yellow',
  pages: 'magenta',
  overhead: 'gray',
  good: 'green',
  bad: ['red', 'bold'],
  warning: 'yellow',
  faint: 'dim',
  strong: 'bold',
};

export const plainPaint: Paint = (_, text) => text;

export const colourPaint: Paint = (tone, text) =>
  text === '' ? text : styleText(FORMATS[tone], text, { validateStream: false });

/** The style of a stream: colours on a terminal unless `--no-color` or NO_COLOR says otherwise, blocks where UTF-8 is spoken. */
export function styleFor(
  stream: { readonly isTTY?: boolean },
  env: Readonly<Record<string, string | undefined>>,
  { color }: { readonly color: boolean },
): Style {
  const isColoured = color && stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  return { paint: isColoured ? colourPaint : plainPaint, unicode: speaksUtf8(env) };
}

/** The first of the three that is set decides (POSIX, 8.2). */
function speaksUtf8(env: Readonly<Record<string, string | undefined>>): boolean {
  return /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
}
