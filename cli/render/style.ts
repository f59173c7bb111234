/** What a colour is to say; which colour that is, is decided here alone. */
export type Tone = 'data' | 'fragmentation' | 'pages' | 'overhead' | 'good' | 'bad' | 'warning' | 'faint' | 'strong';

/** Puts a text into a tone's colour, or leaves it as it is. */
type Paint = (tone: Tone, text: string) => string;

/** How to draw: passed in, never global, so that a picture is a function of its arguments. */
export interface Style {
  readonly paint: Paint;
  /** Whether the terminal shows block characters; has nothing to do with colour. */
  readonly unicode: boolean;
}

/** What ANSI calls them: the codes that begin and end a tone. */
const CODES: Readonly<Record<Tone, readonly [begin: string, end: string]>> = {
  data: ['34', '39'],
  fragmentation: ['33', '39'],
  pages: ['35', '39'],
  overhead: ['90', '39'],
  good: ['32', '39'],
  bad: ['31;1', '22;39'],
  warning: ['33', '39'],
  faint: ['2', '22'],
  strong: ['1', '22'],
};

export const plainPaint: Paint = (_, text) => text;

export const colourPaint: Paint = (tone, text) => {
  const [begin, end] = CODES[tone];
  return text === '' ? text : `\u001b[${begin}m${text}\u001b[${end}m`;
};

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
